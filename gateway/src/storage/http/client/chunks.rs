//! The chunked coding (RFC 9112, section 7.1), taken off as the bytes come.

use bytes::{Buf as _, Bytes, BytesMut};

use super::head::Malformed;
use crate::storage::representation::MAX_PIECE_BYTES;

/// The most that a chunk's line may have beside its length, or all trailers of an answer, in bytes:
/// they are read over. Not all lines together: some servers fill up each with space.
const MAX_UNREAD_BYTES: usize = 16 * 1024;

/// How far a chunked content has been read.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Chunks {
    state: State,
    /// How many bytes were read over since the last chunk.
    unread: usize,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    /// In front of a chunk's length.
    #[default]
    Begin,
    /// Within it: what its digits say so far, and how many there were.
    Length(u64, u8),
    /// Within the space that some servers fill the line up with.
    Padding(u64),
    /// Within the rest of the line.
    Extension(u64),
    /// Behind the line's CR.
    LengthEnd(u64),
    /// Within the chunk: how many bytes of it are still to come.
    Data(u64),
    /// Behind it, in front of CR and of LF.
    DataEnd,
    DataLf,
    /// In front of a trailer, or of the empty line that is the end.
    Trailers,
    /// Within a trailer, and behind its CR.
    Trailer,
    TrailerLf,
    /// Behind the last CR.
    EndLf,
}

/// What was read.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Read {
    /// A piece of the content, never an empty one.
    Data(Bytes),
    /// Nothing yet: more has to come.
    Nothing,
    /// The end of it. What is left in the buffer isn't a part of it.
    End,
}

impl Chunks {
    /// Takes what can be read from the buffer.
    ///
    /// # Errors
    /// When it could be read in two ways, or not at all.
    pub(super) fn read(&mut self, buffer: &mut BytesMut) -> Result<Read, Malformed> {
        while let Some(&byte) = buffer.first() {
            if let State::Data(left) = self.state {
                let length = left.min(buffer.len() as u64).min(MAX_PIECE_BYTES);
                self.state =
                    if left == length { State::DataEnd } else { State::Data(left - length) };
                let length = usize::try_from(length).unwrap_or(usize::MAX);
                return Ok(Read::Data(buffer.split_to(length).freeze()));
            }
            buffer.advance(1);
            if self.state == State::EndLf && byte == b'\n' {
                return Ok(Read::End);
            }
            self.state = self.after(byte).ok_or(Malformed::Chunk)?;
        }
        Ok(Read::Nothing)
    }

    /// Where a byte in front of which we are leads; none where it must not be.
    fn after(&mut self, byte: u8) -> Option<State> {
        let is_text = byte == b'\t' || !byte.is_ascii_control();
        match (self.state, byte) {
            (State::Begin, _) => Some(State::Length(hex(byte)?, 1)),
            (
                State::Length(length, _) | State::Padding(length) | State::Extension(length),
                b'\r',
            ) => Some(State::LengthEnd(length)),
            (State::Length(length, _) | State::Padding(length), b' ' | b'\t') => {
                self.skip(State::Padding(length))
            }
            (State::Length(length, _) | State::Padding(length), b';') => {
                self.skip(State::Extension(length))
            }
            // 15 digits fit every integer that a parser may use.
            (State::Length(length, digits @ ..15), _) => {
                Some(State::Length(length << 4 | hex(byte)?, digits + 1))
            }
            (State::Extension(_), _) if is_text => self.skip(self.state),
            (State::LengthEnd(0), b'\n') => Some(State::Trailers),
            (State::LengthEnd(length), b'\n') => {
                self.unread = 0;
                Some(State::Data(length))
            }
            (State::DataEnd, b'\r') => Some(State::DataLf),
            (State::DataLf, b'\n') => Some(State::Begin),
            (State::Trailers, b'\r') => Some(State::EndLf),
            (State::Trailers | State::Trailer, _) if is_text => self.skip(State::Trailer),
            (State::Trailer, b'\r') => Some(State::TrailerLf),
            (State::TrailerLf, b'\n') => Some(State::Trailers),
            _ => None,
        }
    }

    fn skip(&mut self, next: State) -> Option<State> {
        self.unread += 1;
        (self.unread <= MAX_UNREAD_BYTES).then_some(next)
    }
}

fn hex(digit: u8) -> Option<u64> {
    char::from(digit).to_digit(16).map(u64::from)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The content, what is left behind it, and whether it was all, when `coded` comes in pieces.
    fn decode(coded: &[u8], piece: usize) -> Result<(Vec<u8>, Vec<u8>, bool), Malformed> {
        let (mut chunks, mut buffer) = (Chunks::default(), BytesMut::new());
        let (mut content, mut is_over) = (Vec::new(), false);
        for piece in coded.chunks(piece) {
            buffer.extend_from_slice(piece);
            while !is_over {
                match chunks.read(&mut buffer)? {
                    Read::Data(bytes) => content.extend_from_slice(&bytes),
                    Read::Nothing => break,
                    Read::End => is_over = true,
                }
            }
        }
        Ok((content, buffer.to_vec(), is_over))
    }

    #[test]
    fn chunks_with_extensions_and_trailers_are_read() {
        let coded = b"5;a=\"b\"\r\nhello\r\n06  \r\n world\r\n000;x\r\nA: b\r\nC: d\r\n\r\nrest";
        for piece in 1..coded.len() {
            let decoded = decode(coded, piece).unwrap();
            assert_eq!(decoded, (b"hello world".to_vec(), b"rest".to_vec(), true), "{piece}");
        }
        assert_eq!(decode(b"5\r\nhello\r\n0\r\n", 99).unwrap(), (b"hello".to_vec(), vec![], false));
    }

    #[test]
    fn what_could_be_read_in_two_ways_is_refused() {
        for coded in [
            &b"\r\n"[..],
            b"x\r\n",
            b" 5\r\nhello",
            b"+5\r\nhello",
            b"0x5\r\nhello",
            b"5\nhello",
            b"5 !\r\nhello",
            b"5\r\rhello",
            b"5;a\nhello",
            b"5;a\0\r\nhello",
            b"5\r\nhello0\r\n",
            b"5\r\nhello\n",
            b"5\r\nhello\r0",
            b"0\r\n\n",
            b"0\r\nA: b\n\r\n",
            b"0\r\n\r0",
            b"1234567890123456\r\n",
        ] {
            for piece in [1, 3, 99] {
                let text = String::from_utf8_lossy(coded);
                assert_eq!(decode(coded, piece), Err(Malformed::Chunk), "{text:?}");
            }
        }
    }

    #[test]
    fn what_is_read_over_has_an_end() {
        for (before, after) in [("5;", "\r\nhello"), ("0\r\nA: ", "\r\n\r\n")] {
            let coded = |length| format!("{before}{}{after}", "x".repeat(length));
            assert!(decode(coded(MAX_UNREAD_BYTES - 10).as_bytes(), 999).is_ok());
            assert_eq!(decode(coded(MAX_UNREAD_BYTES).as_bytes(), 999), Err(Malformed::Chunk));
        }
        let padded = "5     \r\nhello\r\n".repeat(MAX_UNREAD_BYTES);
        assert_eq!(decode(padded.as_bytes(), 999).unwrap().0.len(), 5 * MAX_UNREAD_BYTES);
    }

    #[test]
    fn a_long_chunk_is_given_in_pieces() {
        let mut buffer = BytesMut::from(&b"50000\r\n"[..]);
        buffer.resize(7 + 0x50000, b'x');
        let mut chunks = Chunks::default();
        let mut lengths = Vec::new();
        while let Read::Data(bytes) = chunks.read(&mut buffer).unwrap() {
            lengths.push(bytes.len());
        }
        assert_eq!(lengths, [256 * 1024, 64 * 1024]);
    }

    proptest! {
        #[test]
        fn never_panics(
            bytes in proptest::collection::vec(any::<u8>(), 0..200), piece in 1_usize..50,
        ) {
            let _ = decode(&bytes, piece);
        }

        #[test]
        fn what_was_coded_comes_out_again_however_it_is_cut(
            content in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 1..70), 0..5),
            piece in 1_usize..50,
        ) {
            let mut coded = Vec::new();
            for chunk in &content {
                coded.extend_from_slice(format!("{:X}\r\n", chunk.len()).as_bytes());
                coded.extend_from_slice(chunk);
                coded.extend_from_slice(b"\r\n");
            }
            coded.extend_from_slice(b"0\r\n\r\nnext");
            let decoded = decode(&coded, piece).unwrap();
            prop_assert!(decoded.2 && b"next".starts_with(&decoded.1));
            prop_assert_eq!(decoded.0, content.concat());
        }

        /// A line that passes here, another parser reads the same way.
        #[test]
        fn a_length_is_the_same_to_another_parser(line in "[0-9a-fA-F]{0,17}[; \t]{0,2}[ -~]{0,5}\r\n") {
            let mut chunks = Chunks::default();
            let read = chunks.read(&mut BytesMut::from(line.as_bytes()));
            if let (Ok(Read::Nothing), State::Data(ours)) = (read, chunks.state) {
                let theirs = httparse::parse_chunk_size(line.as_bytes());
                prop_assert_eq!(theirs, Ok(httparse::Status::Complete((line.len(), ours))));
            }
        }
    }
}
