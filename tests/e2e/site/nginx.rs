//! Debian's nginx with files of a folder, as an operator would already have it.

use std::net::{SocketAddr, TcpStream};
use std::path::Path;

use tempfile::TempDir;

use super::{Process, patience, port};

/// A running nginx.
pub(crate) struct Nginx {
    address: SocketAddr,
    /// Kept to be ended with this.
    process: Process,
    folder: TempDir,
}

impl Nginx {
    /// Serves `files` below `/channels/`.
    pub(crate) fn serving(files: &Path) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let address = port::free();
        let (at, files) = (folder.path().display(), files.display());
        // One process, so that it ends with the test, and reads what the test can read.
        let configuration = format!(
            "daemon off;
             master_process off;
             pid {at}/nginx.pid;
             error_log stderr error;
             events {{ worker_connections 1024; }}
             http {{
                 access_log {at}/access.log;
                 client_body_temp_path {at}/body;
                 proxy_temp_path {at}/proxy;
                 fastcgi_temp_path {at}/fastcgi;
                 uwsgi_temp_path {at}/uwsgi;
                 scgi_temp_path {at}/scgi;
                 types {{ application/json json; }}
                 default_type application/octet-stream;
                 sendfile on;
                 server {{
                     listen {address};
                     location /channels/ {{ alias {files}/; }}
                 }}
             }}"
        );
        let file = folder.path().join("nginx.conf");
        std::fs::write(&file, configuration).unwrap();
        let arguments = ["-p".as_ref(), folder.path(), "-c".as_ref(), &file];
        // Debian has it outside of other users' PATH.
        let mut process = Process::start("nginx", "/usr/sbin/nginx", arguments, &[], folder.path());
        patience::until("nginx to listen", || {
            if let Some(status) = process.ended() {
                panic!("nginx ended with {status}: {}", process.stderr());
            }
            TcpStream::connect(address).ok()
        });
        Self { address, process, folder }
    }

    /// The URL above the files.
    pub(crate) fn url(&self) -> String {
        format!("http://{}/channels", self.address)
    }

    /// Everything that it has logged.
    pub(crate) fn logged(&self) -> String {
        let access = std::fs::read_to_string(self.folder.path().join("access.log")).unwrap();
        access + &self.process.stderr()
    }
}
