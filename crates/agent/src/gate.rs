//! Verdicts of the server, asked for by digest.
//!
//! They are asked for by the digest and the name that an engine knows an image by, since people may have decided about it in
//! one repository. An answer is remembered for a second: a verdict that changed counts a second later everywhere, and a
//! hundred containers of one image cost one question.

use std::{sync::Arc, time::Duration};

use boltseal_api::{
    access::{Login, Session},
    base::Bases,
    client::{Client, Error as ApiError, Server},
    running::Reported,
    workloads::{Asked, Pull, PullToken, Token},
};
use boltseal_model::{Digest, Reference, Report, Ruling, Timestamp};
use jiff::SignedDuration;
use moka::sync::Cache;
use tokio::sync::Semaphore;
use zeroize::Zeroizing;

/// How long an answer counts.
const MEMORY: Duration = Duration::from_secs(1);
/// How long whoever asks waits; an engine gives up on its plugins later than that.
const DEADLINE: Duration = Duration::from_secs(5);
/// Questions on their way at once.
const QUESTIONS: usize = 16;
/// Images that are remembered.
const REMEMBERED: u64 = 10_000;
/// A token is renewed when this little of it is left.
const MARGIN: SignedDuration = SignedDuration::from_secs(60);

/// Who asks.
#[derive(Clone)]
pub struct Identity {
    /// Name of a service principal.
    pub name: String,
    /// Its secret.
    pub secret: Zeroizing<String>,
}

/// Asks one server.
#[derive(Clone)]
pub struct Gate(Arc<Inner>);

struct Inner {
    server: Server,
    /// None where the server was given with a token that somebody else renews.
    identity: Option<Identity>,
    session: tokio::sync::Mutex<Option<Renewed>>,
    answers: Cache<String, Ruling>,
    questions: Semaphore,
}

/// A client with a token, and when that ends.
struct Renewed {
    client: Arc<Client>,
    until: Option<Timestamp>,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The server could not be asked, or refused to answer.
    #[error("{0}")]
    Api(#[from] ApiError),
    /// It takes too long for whoever waits.
    #[error("{address} did not answer within {} s", DEADLINE.as_secs())]
    Late {
        /// The server.
        address: String,
    },
    /// Nothing is asked any more.
    #[error("the gate is stopping")]
    Stopping,
}

impl std::fmt::Debug for Gate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Gate").field("server", &self.0.server).finish_non_exhaustive()
    }
}

impl Gate {
    /// Nothing is asked yet.
    pub fn new(server: Server, identity: Option<Identity>) -> Self {
        let answers = Cache::builder().max_capacity(REMEMBERED).time_to_live(MEMORY).build();
        Self(Arc::new(Inner {
            server,
            identity,
            session: tokio::sync::Mutex::new(None),
            answers,
            questions: Semaphore::new(QUESTIONS),
        }))
    }

    /// The server asked.
    pub fn address(&self) -> &str {
        &self.0.server.address
    }

    /// What the server answers about an image: the same as every other gate. One that is named without a digest is not
    /// known, since a name may become another image.
    pub async fn ruling(&self, image: &Reference) -> Result<Ruling, Error> {
        let Some(digest) = image.digest() else {
            return Ok(Ruling::unknown(&format!("{image} has no digest that a verdict could be about")));
        };
        let key = format!("{}@{digest}", image.name());
        if let Some(answer) = self.0.answers.get(&key) {
            return Ok(answer);
        }
        let path = format!("/api/v1/images/{digest}/verdict?name={}", image.name());
        let answer: Ruling = self.ask(move |client| client.get(&path)).await?;
        self.0.answers.insert(key, answer.clone());
        Ok(answer)
    }

    /// What the server found in an image. It is as large as what it says.
    pub async fn report(&self, image: &Digest) -> Result<Report, Error> {
        let path = format!("/api/v1/images/{image}/report");
        self.ask(move |client| client.get(&path)).await
    }

    /// A token of a workload, for a container that runs as it.
    pub async fn token(&self, workload: &str, asked: Asked) -> Result<Token, Error> {
        let workload: String = url::form_urlencoded::byte_serialize(workload.as_bytes()).collect();
        let path = format!("/api/v1/workloads/{workload}/token");
        self.ask(move |client| client.post(&path, &asked)).await
    }

    /// What to pull an image with, as a workload.
    pub async fn pull_token(&self, workload: &str, asked: Pull) -> Result<PullToken, Error> {
        let workload: String = url::form_urlencoded::byte_serialize(workload.as_bytes()).collect();
        let path = format!("/api/v1/workloads/{workload}/pull-token");
        self.ask(move |client| client.post(&path, &asked)).await
    }

    /// Tells what runs on this node, in place of what was told before.
    pub async fn runs(&self, host: &str, running: Reported) -> Result<(), Error> {
        let host: String = url::form_urlencoded::byte_serialize(host.as_bytes()).collect();
        let path = format!("/api/v1/hosts/{host}/running");
        self.ask(move |client| client.put(&path, &running)).await
    }

    /// What the server knows of the base of an image.
    pub async fn bases(&self, image: &Digest) -> Result<Bases, Error> {
        let path = format!("/api/v1/images/{image}/base");
        self.ask(move |client| client.get(&path)).await
    }

    /// Sends a record of what was asked of the engine; comes back when it is durable.
    pub async fn record(&self, path: String, record: serde_json::Value) -> Result<(), Error> {
        self.ask(move |client| client.tell(&path, &record)).await
    }

    /// Sends lines of JSON; comes back when they are durable.
    pub async fn record_all(&self, path: String, lines: Vec<u8>) -> Result<(), Error> {
        self.ask(move |client| client.lines(&path, &lines)).await
    }

    /// Asks with a token that still counts, and once more with a new one where it does not count any more.
    async fn ask<T: Send + 'static>(
        &self,
        question: impl Fn(&Client) -> Result<T, ApiError> + Send + Sync + 'static,
    ) -> Result<T, Error> {
        let late = || Error::Late { address: self.address().to_owned() };
        let asked = async {
            let _turn = self.0.questions.acquire().await.map_err(|_| Error::Stopping)?;
            let question = Arc::new(question);
            let client = self.client(false).await?;
            match run(client, Arc::clone(&question)).await {
                Err(Error::Api(error)) if error.status() == Some(401) && self.0.identity.is_some() => {
                    run(self.client(true).await?, question).await
                }
                other => other,
            }
        };
        tokio::time::timeout(DEADLINE, asked).await.map_err(|_| late())?
    }

    async fn client(&self, anew: bool) -> Result<Arc<Client>, Error> {
        let mut session = self.0.session.lock().await;
        let counts = |known: &Renewed| known.until.is_none_or(|until| until > Timestamp::now());
        if let Some(known) = session.as_ref().filter(|known| !anew && counts(known)) {
            return Ok(Arc::clone(&known.client));
        }
        let (server, identity) = (self.0.server.clone(), self.0.identity.clone());
        let renewed = blocking(move || sign_in(server, identity)).await?;
        let client = Arc::clone(&renewed.client);
        *session = Some(renewed);
        Ok(client)
    }
}

fn sign_in(server: Server, identity: Option<Identity>) -> Result<Renewed, ApiError> {
    let Some(identity) = identity else {
        return Ok(Renewed { client: Arc::new(Client::new(&server)?), until: None });
    };
    let login = Login { name: identity.name, secret: identity.secret.to_string(), code: None };
    let session: Session =
        Client::new(&Server { token: None, ..server.clone() })?.post("/api/v1/login", &login)?;
    let life = SignedDuration::from_secs(i64::try_from(session.expires_in).unwrap_or(i64::MAX));
    let until = Timestamp::now().checked_add(life.saturating_sub(MARGIN)).ok();
    let client = Client::new(&Server { token: Some(session.access_token), ..server })?;
    Ok(Renewed { client: Arc::new(client), until })
}

async fn run<T: Send + 'static>(
    client: Arc<Client>,
    question: Arc<impl Fn(&Client) -> Result<T, ApiError> + Send + Sync + 'static>,
) -> Result<T, Error> {
    blocking(move || question(&client)).await
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ApiError> + Send + 'static,
) -> Result<T, Error> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done.map_err(Error::Api),
        Err(_) => Err(Error::Stopping),
    }
}
