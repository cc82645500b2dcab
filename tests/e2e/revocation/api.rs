//! The API as a program uses it: over one connection, made anew when it breaks.

use std::io;
use std::net::{SocketAddr, TcpStream};
use std::process::{Command, Output};

use serde_json::{Value, json};

use crate::site::{Answer, CONDAGATE, Connection, PASSWORD};

/// A signed-in client of the control plane.
pub(crate) struct Api {
    address: SocketAddr,
    session: String,
    connection: Option<Connection<TcpStream>>,
}

impl Api {
    /// Signs `alice` in.
    pub(crate) fn sign_in(address: SocketAddr) -> Self {
        let mut api = Self { address, session: String::new(), connection: None };
        let answer =
            api.ask("POST", "/sessions", &json!({"username": "alice", "password": PASSWORD}));
        let answer = answer.unwrap();
        assert_eq!(answer.status(), 201, "{}", answer.text());
        answer.json()["session_token"].as_str().unwrap().clone_into(&mut api.session);
        api
    }

    /// Another connection of the same session.
    pub(super) fn another(&self) -> Self {
        Self { address: self.address, session: self.session.clone(), connection: None }
    }

    /// Runs a command of the command line in the same session.
    pub(super) fn command(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(CONDAGATE);
        command.args(arguments).env_clear().env("CONDAGATE_TOKEN", &self.session);
        command.env("CONDAGATE_URL", format!("http://{}", self.address)).output().unwrap()
    }

    /// Asks for a path below the API's base; null is no body.
    pub(crate) fn ask(&mut self, method: &str, path: &str, body: &Value) -> io::Result<Answer> {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => Connection::open(self.address)?,
        };
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let length = format!("Content-Length: {}", body.len());
        let bearer = format!("Authorization: Bearer {}", self.session);
        let mut fields = vec![&*length, "Content-Type: application/json"];
        if !self.session.is_empty() {
            fields.push(&bearer);
        }
        connection.send_with(method, &format!("/api/v1{path}"), &fields, &body)?;
        let head = connection.head()?;
        let answer = connection.rest(head);
        if !answer.whole {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.connection = Some(connection);
        Ok(answer)
    }
}
