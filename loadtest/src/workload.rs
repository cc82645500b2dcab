//! What is asked for, and what each answer must be.

mod population;

use std::path::Path;
use std::rc::Rc;

use access::TokenSecret;

use crate::client::{Answer, Ask, Validators};
use crate::error::Error;
use crate::target::Target;

pub(crate) use population::{Population, Token};

/// A file of the channel, and what is known of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct File {
    pub(crate) path: String,
    pub(crate) length: Option<u64>,
    pub(crate) sha256: Option<[u8; 32]>,
}

impl From<&str> for File {
    fn from(path: &str) -> Self {
        Self { path: path.to_owned(), ..Self::default() }
    }
}

/// Everything that a run asks for.
#[derive(Clone, Debug)]
pub(crate) struct Workload {
    /// Never empty.
    pub(crate) files: Vec<File>,
    /// Empty: the token in the URL, if there is one, and status 200.
    pub(crate) tokens: Rc<Population>,
    pub(crate) order: Order,
    /// Whether each file is asked for by who has it already, so that the answer is 304.
    pub(crate) held: bool,
    /// Whether the SHA-256 of every answer is checked.
    pub(crate) hash: bool,
    pub(crate) seed: u64,
}

/// Which file comes when.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Order {
    /// Each is drawn, evenly.
    Drawn,
    /// Cold installs: new connections, the first file, then all others over them, and the end.
    Installs,
}

/// One request, and what its answer must be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Request<'a> {
    /// Its place among the workload's files.
    pub(crate) number: usize,
    pub(crate) file: &'a File,
    pub(crate) token: Option<&'a TokenSecret>,
    pub(crate) status: u16,
}

impl Workload {
    /// The request number `index` of a run; the same for the same seed.
    pub(crate) fn request(&self, index: u64) -> Request<'_> {
        let drawn = mix(self.seed ^ mix(index));
        self.request_for(pick(drawn, self.files.len()), index)
    }

    /// A request for the file `number`, with the token that is drawn for `index`.
    pub(crate) fn request_for(&self, number: usize, index: u64) -> Request<'_> {
        let file = &self.files[number];
        let token = self.tokens.draw(mix(self.seed.rotate_left(32) ^ mix(index)));
        let status = match token.map_or(200, |token| token.status) {
            200 if self.held => 304,
            status => status,
        };
        Request { number, file, token: token.map(|token| &token.secret), status }
    }

    /// Asks `target` once for each file, checks the answers and completes what is not known of
    /// the files; every later answer, of any server, must be the same. Answers by what each can
    /// be asked for again.
    pub(crate) async fn learn(&mut self, target: &Target) -> Result<Vec<Validators>, Error> {
        let token = self.tokens.allowed().map(|token| &token.secret);
        let mut connection = target.connect().await?;
        let mut all = Vec::new();
        for (number, file) in self.files.iter_mut().enumerate() {
            let refused = |why: String| Error::FirstRequest { path: file.path.clone(), why };
            let path = target.request_path(token, &file.path);
            let ask = Ask { path: &path, held: None, hash: true };
            let answer = connection.get(&ask).await.map_err(|why| refused(why.to_string()))?;
            let request = Request { number, file, token, status: 200 };
            if let Some(wrong) = answer.differs_from(&request) {
                return Err(refused(format!("{wrong}: {}", answer.status)));
            }
            file.length = Some(answer.length);
            file.sha256 = answer.sha256;
            all.push(answer.validators.unwrap_or_default());
            if !answer.keep_alive {
                connection = target.connect().await?;
            }
        }
        Ok(all)
    }
}

/// What of an answer is not as it must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Wrong {
    Status,
    Length,
    Content,
}

impl std::fmt::Display for Wrong {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Status => "wrong status",
            Self::Length => "wrong length",
            Self::Content => "wrong content",
        })
    }
}

impl Answer {
    /// The first thing in which the answer is not what the request must get.
    pub(crate) fn differs_from(&self, request: &Request<'_>) -> Option<Wrong> {
        if self.status != request.status {
            return Some(Wrong::Status);
        }
        // What a refusal says is the gateway's to choose.
        if self.status != 200 {
            return None;
        }
        if request.file.length.is_some_and(|length| length != self.length) {
            return Some(Wrong::Length);
        }
        match (self.sha256, request.file.sha256) {
            (Some(found), Some(expected)) if found != expected => Some(Wrong::Content),
            _ => None,
        }
    }
}

/// Reads lines `PATH [LENGTH [SHA256]]`.
pub(crate) fn read_files(path: &Path) -> Result<Vec<File>, Error> {
    lines(path, |words| {
        let length = match words.get(1) {
            Some(word) => Some(word.parse().map_err(|_why| "the length is no number")?),
            None => None,
        };
        let sha256 = match words.get(2) {
            Some(word) => Some(hex(word).ok_or("the SHA-256 is not 64 hexadecimal digits")?),
            None => None,
        };
        Ok(File { path: words[0].to_owned(), length, sha256 })
    })
}

/// Reads lines `TOKEN [STATUS]`.
pub(crate) fn read_tokens(path: &Path) -> Result<Vec<Token>, Error> {
    lines(path, |words| {
        let secret = TokenSecret::parse(words[0]).map_err(|_why| "this is no token")?;
        let status = match words.get(1) {
            Some(word) => word.parse().map_err(|_why| "the status is no number")?,
            None => 200,
        };
        Ok(Token { secret, status })
    })
}

/// Reads a file line by line; empty lines and those that start with `#` are left out.
fn lines<T>(
    path: &Path,
    read: impl Fn(&[&str]) -> Result<T, &'static str>,
) -> Result<Vec<T>, Error> {
    let text = std::fs::read_to_string(path).map_err(|cause| Error::file(path, cause))?;
    let mut items = Vec::new();
    for (line, text) in (1..).zip(text.lines()) {
        let words: Vec<&str> = text.split_whitespace().collect();
        if words.is_empty() || words[0].starts_with('#') {
            continue;
        }
        let wrong = |what: &str| Error::Line { path: path.to_owned(), line, what: what.to_owned() };
        items.push(read(&words).map_err(wrong)?);
    }
    Ok(items)
}

fn hex(text: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    if text.len() != 64 || !text.is_ascii() {
        return None;
    }
    for (byte, at) in bytes.iter_mut().zip((0..64).step_by(2)) {
        *byte = u8::from_str_radix(&text[at..at + 2], 16).ok()?;
    }
    Some(bytes)
}

/// SplitMix64's output function: a well spread number for each number.
pub(crate) fn mix(number: u64) -> u64 {
    let mut z = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

fn pick(drawn: u64, count: usize) -> usize {
    usize::try_from(drawn % (count as u64)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read<T>(text: &str, with: fn(&Path) -> Result<Vec<T>, Error>) -> Result<Vec<T>, Error> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        with(file.path())
    }

    #[test]
    fn files_are_read_with_what_is_known_of_them() {
        let sha256 = "ab".repeat(32);
        let files = read(&format!("# all\n\na\nb 7\nc 8 {sha256}\n"), read_files).unwrap();
        assert_eq!(files[0], "a".into());
        assert_eq!(files[1].length, Some(7));
        assert_eq!(files[2], File { path: "c".into(), length: Some(8), sha256: Some([0xab; 32]) });
        for text in ["a b", "a 1 zz"] {
            assert!(read(text, read_files).is_err(), "{text}");
        }
    }

    #[test]
    fn a_line_that_is_no_token_is_named_but_not_shown() {
        let error = read("\nsecret-but-wrong!!\n", read_tokens).unwrap_err().to_string();
        assert!(error.contains("line 2: this is no token"), "{error}");
        assert!(!error.contains("secret"), "{error}");
    }

    #[test]
    fn requests_are_drawn_evenly_and_again_the_same() {
        let files = ["a", "b", "c"].map(File::from).to_vec();
        let workload = Workload {
            files,
            tokens: Rc::default(),
            order: Order::Drawn,
            held: false,
            hash: false,
            seed: 7,
        };
        let mut counts = std::collections::BTreeMap::new();
        for index in 0..3000 {
            *counts.entry(&workload.request(index).file.path).or_insert(0) += 1;
        }
        assert!(counts.values().all(|count| (900..1100).contains(count)), "{counts:?}");
        assert_eq!(workload.request(5).file, workload.request(5).file);
    }

    #[test]
    fn an_answer_is_compared_with_what_it_must_be() {
        let file = File { path: "a".into(), length: Some(3), sha256: Some([1; 32]) };
        let request = Request { number: 0, file: &file, token: None, status: 200 };
        let right = Answer {
            status: 200,
            length: 3,
            sha256: Some([1; 32]),
            validators: None,
            keep_alive: true,
        };
        assert_eq!(right.differs_from(&request), None);
        let wrong = [
            (Answer { status: 404, ..right.clone() }, Wrong::Status),
            (Answer { length: 2, ..right.clone() }, Wrong::Length),
            (Answer { sha256: Some([2; 32]), ..right.clone() }, Wrong::Content),
        ];
        for (answer, what) in wrong {
            assert_eq!(answer.differs_from(&request), Some(what));
        }
        let refused = Request { status: 401, ..request };
        assert_eq!(
            Answer { status: 401, length: 99, ..right.clone() }.differs_from(&refused),
            None
        );
        assert_eq!(right.differs_from(&refused), Some(Wrong::Status));
    }
}
