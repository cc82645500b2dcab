//! Asking a storage outside of a client's request, for `condagate check`: the same way to the
//! storage, so that what is found is what clients would meet.

use std::future::poll_fn;
use std::sync::Arc;

use access::{Channel, Clock, SystemClock};

use super::{Ask, Failure, Fault, Kind, Storage, StorageSettings, Storages, Stored, StoredBody};
use crate::listener::Fields;
use crate::target::FilePath;

const REQUEST_ID: &str = "condagate-check";

/// The storages of a [`StorageSettings`], to be asked for the beginnings of files.
pub struct StorageProbe(Storages);

/// Why a storage can't say whether it has a file. Names hosts and system errors, never a secret.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct ProbeError(String);

impl StorageSettings {
    /// The storages, for one thread: connections are kept from one question to the next.
    pub fn probe(&self) -> StorageProbe {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        StorageProbe(self.for_thread(&clock, None))
    }
}

impl StorageProbe {
    /// At most `limit` bytes from the beginning of a channel's file; none when its storage
    /// definitely has no such file. Must run within a [`tokio::task::LocalSet`]: the end of an
    /// answer that isn't wanted is read away by a task of the thread.
    ///
    /// # Errors
    /// What clients are answered with 502, 503 or 504 for, with what happened.
    pub async fn beginning_of(
        &self,
        channel: &Channel,
        file: &FilePath<'_>,
        limit: usize,
    ) -> Result<Option<Vec<u8>>, ProbeError> {
        let fields = Fields::default();
        let ask = Ask { head: false, fields: &fields, request_id: REQUEST_ID };
        let opened = match self.0.0.get(&*channel.storage) {
            Some(Kind::Directory(directory)) => directory.open(channel, file, &ask).await,
            Some(Kind::Http(http)) => http.open(channel, file, &ask).await,
            None => {
                let what = format!("no storage `{}` is configured", channel.storage);
                return Err(ProbeError(what));
            }
        };
        match opened {
            Ok(stored) => Ok(Some(read(stored, limit).await?)),
            Err(Failure::NotFound) => Ok(None),
            Err(Failure::Fault(fault)) => Err(fault.into()),
        }
    }
}

async fn read(stored: Stored, limit: usize) -> Result<Vec<u8>, Fault> {
    let mut body = stored.body;
    let mut content = Vec::new();
    while content.len() < limit {
        let chunk = match &mut body {
            StoredBody::File(file) => poll_fn(|cx| file.poll_chunk(cx)).await,
            StoredBody::Upstream(upstream) => poll_fn(|cx| upstream.poll_chunk(cx)).await,
            StoredBody::Memory(bytes) if !bytes.is_empty() => Some(Ok(std::mem::take(bytes))),
            StoredBody::Empty | StoredBody::Memory(_) => None,
        };
        let Some(chunk) = chunk else { break };
        content.extend_from_slice(&chunk?);
    }
    content.truncate(limit);
    Ok(content)
}

impl From<Fault> for ProbeError {
    fn from(fault: Fault) -> Self {
        Self(fault.detail)
    }
}
