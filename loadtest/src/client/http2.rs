//! HTTP/2: many exchanges at a time on one connection.

use std::future::Future;

use bytes::Bytes;
use http::{Request, header};
use http_body_util::{BodyExt, Empty};
use hyper::client::conn::http2::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use sha2::{Digest, Sha256};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

use super::{Answer, Ask, Missing, USER_AGENT, Validators};

/// A place for one stream at a time; clones share the connection.
#[derive(Clone)]
pub(crate) struct Http2 {
    sender: SendRequest<Empty<Bytes>>,
    authority: String,
}

/// Runs hyper's tasks where everything else runs: on this thread.
#[derive(Clone, Copy)]
struct ThisThread;

impl<F: Future + 'static> hyper::rt::Executor<F> for ThisThread {
    fn execute(&self, task: F) {
        tokio::task::spawn_local(async { drop(task.await) });
    }
}

impl Http2 {
    pub(super) async fn open(
        stream: TlsStream<TcpStream>,
        authority: String,
    ) -> std::io::Result<Self> {
        let (sender, connection) =
            handshake(ThisThread, TokioIo::new(stream)).await.map_err(std::io::Error::other)?;
        // What goes wrong on the connection is told to whoever waits for an answer on it.
        tokio::task::spawn_local(async { drop(connection.await) });
        Ok(Self { sender, authority })
    }

    pub(super) async fn exchange(&mut self, ask: &Ask<'_>) -> Result<Answer, Missing> {
        self.sender.ready().await?;
        let mut request = Request::get(format!("https://{}{}", self.authority, ask.path))
            .header(header::ACCEPT_ENCODING, "identity")
            .header(header::USER_AGENT, USER_AGENT);
        if let Some(etag) = ask.held.and_then(|held| held.etag.as_deref()) {
            request = request.header(header::IF_NONE_MATCH, etag);
        }
        if let Some(date) = ask.held.and_then(|held| held.last_modified.as_deref()) {
            request = request.header(header::IF_MODIFIED_SINCE, date);
        }
        let mut response = self.sender.send_request(request.body(Empty::new())?).await?;
        let status = response.status().as_u16();
        let text = |name| Some(response.headers().get(&name)?.to_str().ok()?.to_owned());
        let validators = ask.hash.then(|| Validators {
            etag: text(header::ETAG),
            last_modified: text(header::LAST_MODIFIED),
        });
        let mut length = 0;
        let mut hasher = ask.hash.then(Sha256::new);
        while let Some(frame) = response.frame().await {
            if let Ok(data) = frame?.into_data() {
                length += data.len() as u64;
                if let Some(hasher) = &mut hasher {
                    hasher.update(&data);
                }
            }
        }
        let sha256 = hasher.map(|hasher| hasher.finalize().into());
        Ok(Answer { status, length, sha256, validators, keep_alive: true })
    }
}
