//! Everything that a table needs, started in a temporary folder and stopped with it: a channel's
//! files, tokens, an origin that serves the files, and the servers that are measured.
//!
//! What each server is told stands in `loadtest/peers/`, in its own language; the README there
//! says why.

mod channel;
mod condagate;
mod process;
mod subject;
mod template;
mod tokens;
mod tracer;

use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;

use access::{Clock, SystemClock};
use tempfile::TempDir;

use crate::client::{Ask, Trust};
use crate::cores::Cores;
use crate::error::Error;
use crate::target::Target;
use crate::workload::Population;
pub(crate) use channel::Channel;
use process::Process;
pub(crate) use subject::{SUBJECTS, Software, Subject};
use template::Template;
use tokens::Tokens;
pub(crate) use tracer::{Counts, Tracer};

/// How long a server may take until it answers.
const START_MAX: Duration = Duration::from_secs(30);
const TRY_AGAIN: Duration = Duration::from_millis(20);

/// The condagate binaries to measure.
#[derive(Clone, Debug)]
pub(crate) struct Binaries {
    pub(crate) condagate: PathBuf,
    /// An earlier one.
    pub(crate) baseline: Option<PathBuf>,
    /// What the servers run under.
    pub(crate) tracer: Option<Tracer>,
}

/// How much there is of what a server's work may grow with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Size {
    pub(crate) tokens: usize,
    /// Of condagate: channels of the same files, `bench` and `bench-1` and so on.
    pub(crate) channels: usize,
    /// Of each server.
    pub(crate) threads: usize,
}

/// The running servers. Ends them when it is dropped.
pub(crate) struct Lab {
    /// In the order of [`SUBJECTS`].
    pub(crate) running: Vec<Running>,
    pub(crate) channel: Channel,
    pub(crate) tokens: Tokens,
    pub(crate) cores: Cores,
    /// What each software calls itself.
    pub(crate) versions: Vec<String>,
    _origin: Process,
    _folder: TempDir,
}

/// A server that is measured.
pub(crate) struct Running {
    pub(crate) subject: &'static Subject,
    pub(crate) target: Rc<Target>,
    /// The same over HTTP/2, where it speaks that.
    pub(crate) http2: Option<Rc<Target>>,
    pub(crate) pids: Vec<u32>,
    process: Process,
}

impl Lab {
    /// Makes the files and starts `subjects` and what they need, each told to `progress`.
    ///
    /// # Errors
    /// A program is missing, or a server does not answer; its last words are in the error.
    pub(crate) async fn start(
        subjects: &[&'static Subject],
        binaries: &Binaries,
        size: Size,
        progress: impl Fn(&str),
    ) -> Result<Self, Error> {
        let cores = Cores::take()?;
        let folder = tempfile::Builder::new().prefix("condagate-loadtest-").tempdir()?;
        progress("making files and tokens");
        let channel = Channel::make(&folder.path().join("files"))?;
        let tokens = Tokens::make(size.tokens)?;
        let mut template = Template::new(folder.path(), &channel, &tokens)?;
        let certificate =
            certs::development_certificate(folder.path(), &["127.0.0.1"], SystemClock.now())
                .map_err(|cause| Error::Setup(cause.to_string()))?;
        template.set("THREADS", &size.threads);
        template.set("CERTIFICATE", &certificate.certificate.display());
        template.set("KEY", &certificate.key.display());
        let trust = Trust::in_file(&certificate.ca)?;

        progress("starting the origin");
        let mut origin = template.configure(&subject::ORIGIN, binaries)?.start()?;
        origin.wait_to_listen(subject::ORIGIN.name, &template.address("PORT"))?;
        let mut lab = Self {
            running: Vec::new(),
            channel,
            tokens,
            cores,
            versions: Vec::new(),
            _origin: origin,
            _folder: folder,
        };
        let mut databases = condagate::Databases::new(size.channels);
        for subject in subjects {
            progress(&format!("starting {}", subject.name));
            if subject.software.condagate(binaries).is_some() {
                databases.copy_for(subject, binaries, &lab.tokens, &mut template)?;
            }
            let launch = template.configure(subject, binaries)?;
            let launch = match binaries.tracer {
                Some(tracer) => tracer.over(launch),
                None => launch,
            };
            let process = cores.under_test(size.threads, || launch.start())??;
            let running = lab.wait_for(subject, process, &template.address("PORT"), &trust).await?;
            let version = subject.software.version(binaries)?;
            if !lab.versions.contains(&version) {
                lab.versions.push(version);
            }
            lab.running.push(running);
        }
        Ok(lab)
    }

    /// Waits until `subject` answers, and where it learns tokens as it meets them, shows it all.
    async fn wait_for(
        &self,
        subject: &'static Subject,
        mut process: Process,
        address: &str,
        trust: &Trust,
    ) -> Result<Running, Error> {
        let scheme = if subject.tls { "https" } else { "http" };
        let url = format!("{scheme}://{address}/{}", Channel::NAME);
        let target = Target::parse(&url, Some(trust.clone()))?;
        let mut waited = Duration::ZERO;
        while let Err(why) = self.asks(&target, 1).await {
            if waited >= START_MAX || process.has_ended()? {
                return Err(process.last_words(subject.name, &why));
            }
            tokio::time::sleep(TRY_AGAIN).await;
            waited += TRY_AGAIN;
        }
        if matches!(subject.software, Software::Condagate | Software::Baseline) {
            let asked = self.asks(&target, self.tokens.known.tokens().len()).await;
            asked.map_err(|why| process.last_words(subject.name, &why))?;
        }
        let http2 = if subject.tls { Some(Rc::new(target.clone().over_http2()?)) } else { None };
        let pids = process.family()?;
        Ok(Running { subject, target: Rc::new(target), http2, pids, process })
    }

    /// Asks once with each of the first `count` tokens.
    async fn asks(&self, target: &Target, count: usize) -> Result<(), String> {
        let file = Channel::FIRST;
        let mut connection = target.connect().await.map_err(|error| error.to_string())?;
        for token in self.tokens.known.tokens().iter().take(count) {
            let path = target.request_path(Some(&token.secret), file);
            let ask = Ask { path: &path, held: None, hash: false };
            let answer = connection.get(&ask).await.map_err(|error| error.to_string())?;
            if answer.status != 200 {
                return Err(format!("the answer to {file} is {}", answer.status));
            }
        }
        Ok(())
    }

    /// The known tokens, with a tenth of the requests from unknown ones.
    pub(crate) fn with_unknown(&self) -> Population {
        self.tokens.known.beside(self.tokens.unknown.clone(), 0.1)
    }
}

impl Running {
    /// How much each of its threads has done so far, as `tracer` counts it, under which it runs.
    pub(crate) fn count(&self, tracer: Tracer) -> Result<Counts, Error> {
        tracer.count(self.process.folder(), self.pids.first().copied().unwrap_or(0))
    }

    /// What to say when it went wrong under load.
    pub(crate) fn last_words(&self, why: &Error) -> Error {
        self.process.last_words(self.subject.name, &why.to_string())
    }
}
