//! The index that an allowed channel always has: without `noarch/repodata.json` every client gives
//! up (wire.md W13).

use access::Channel;
use bytes::Bytes;

use super::conditions::{Conditions, Validators};
use super::representation::{Representation, content_type, fields};
use super::{Ask, Failure, Storage, Stored};
use crate::listener::Fields;
use crate::target::FilePath;

const JSON: &str = "repodata.json";
const ZST: &str = "repodata.json.zst";

/// Every form in which a subdir's index may be there. Where one is, none is made: an empty index
/// beside a full one would hide packages.
const INDEXES: [&str; 5] =
    [JSON, ZST, "repodata.json.bz2", "repodata_shards.msgpack.zst", "current_repodata.json"];

const EMPTY: &str = concat!(
    r#"{"info":{"subdir":"noarch"},"packages":{},"packages.conda":{},"#,
    r#""removed":[],"repodata_version":1}"#,
    "\n"
);

/// Opens a file, or makes the index of an empty `noarch` when the storage definitely has none.
pub(super) async fn open(
    storage: &impl Storage,
    channel: &Channel,
    file: &FilePath<'_>,
    ask: &Ask<'_>,
) -> Result<Stored, Failure> {
    let opened = storage.open(channel, file, ask).await;
    let is_index = file.subdir() == Some("noarch") && matches!(file.name(), JSON | ZST);
    if is_index && matches!(opened, Err(Failure::NotFound)) {
        // Apart, or its size would be that of every request.
        return Box::pin(open_empty(storage, channel, file, ask)).await;
    }
    opened
}

/// The index of an empty `noarch`, where the storage has it in no other form.
async fn open_empty(
    storage: &impl Storage,
    channel: &Channel,
    file: &FilePath<'_>,
    ask: &Ask<'_>,
) -> Result<Stored, Failure> {
    let none = Fields::default();
    let head = Ask { head: true, fields: &none, request_id: ask.request_id };
    for name in INDEXES.into_iter().filter(|&name| name != file.name()) {
        match storage.open(channel, &file.sibling(name), &head).await {
            Err(Failure::NotFound) => {}
            Err(fault) => return Err(fault),
            Ok(_there) => return Err(Failure::NotFound),
        }
    }
    let (validators, body) = empty(file.name());
    let headers = fields(content_type(file.name()), &validators);
    let length = body.len() as u64;
    let verdict = Conditions::new(ask.fields, ask.head).judge(&validators, length);
    Ok(Representation { length, headers, body }.answer(verdict))
}

fn empty(name: &str) -> (Validators, Bytes) {
    let (etag, body) = match name {
        ZST => ("\"condagate-empty-noarch-zst\"", Bytes::from(zstd_frame(EMPTY.as_bytes()))),
        _ => ("\"condagate-empty-noarch\"", Bytes::from_static(EMPTY.as_bytes())),
    };
    (Validators { etag: Some(etag.to_owned()), last_modified: None }, body)
}

/// A Zstandard frame of one raw block (RFC 8878, section 3.1.1): a hundred bytes need no
/// compressor.
fn zstd_frame(content: &[u8]) -> Vec<u8> {
    let magic = [0x28, 0xb5, 0x2f, 0xfd];
    // Single segment, and so one byte of content size.
    let descriptor = 0x20;
    let size = u8::try_from(content.len()).unwrap_or(u8::MAX);
    let last_raw_block = (u32::from(size) << 3 | 1).to_le_bytes();
    let mut frame = magic.to_vec();
    frame.extend([descriptor, size]);
    frame.extend(&last_raw_block[..3]);
    frame.extend(&content[..usize::from(size)]);
    frame
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn w13_the_empty_index_is_valid_in_both_forms() {
        let json: serde_json::Value = serde_json::from_slice(&empty(JSON).1).unwrap();
        assert_eq!(json["info"]["subdir"], "noarch");
        let frame = empty(ZST).1;
        assert_eq!(&frame[9..], EMPTY.as_bytes());
        assert_eq!(usize::from(frame[5]), EMPTY.len());
        assert_ne!(empty(JSON).0.etag, empty(ZST).0.etag);
    }
}
