//! What other servers on the same database change, so that what this one keeps in memory is never older.
//!
//! Every commit says in a notification (PostgreSQL, `LISTEN` and `NOTIFY`) what it was about; it arrives with the
//! commit, usually within a millisecond. While the connection for it is broken, nobody knows what was missed:
//! [`Following::is_sure`] says so, and caches are to be passed by until [`Topic::Everything`] announces the new start.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use sqlx::postgres::PgListener;
use tokio::sync::broadcast;

use super::{Facts, Writer};
use crate::Error;

/// Topics that may wait for a slow listener; beyond it, it hears [`Topic::Everything`].
const WAITING: usize = 4096;
/// A notification takes up to 8000 bytes; longer ones become [`Topic::Everything`].
const MAX_PAYLOAD: usize = 7900;
/// How long until a lost connection is tried again.
const AGAIN: Duration = Duration::from_millis(500);

/// Where servers tell each other what they changed.
pub(super) const CHANNEL: &str = "boltseal";

/// What a change was about.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Topic {
    /// Content of a repository: tags, manifests, blobs, its settings.
    Repository(String),
    /// What is said of images.
    Verdicts,
    /// Principals, roles, assignments, tokens that ended.
    Access,
    /// Work that takes a while was asked for, or ended.
    Jobs,
    /// Settings of the registry: documents that are not about access.
    Settings,
    /// New entries of the log; the number that comes next.
    Entries(u64),
    /// Anything.
    Everything,
}

/// Changes by other servers, one after the other.
#[derive(Debug)]
pub struct Following {
    changes: broadcast::Receiver<Topic>,
    sure: Arc<AtomicBool>,
    /// Keeps the channel open where nobody else ever speaks.
    _alone: broadcast::Sender<Topic>,
}

#[derive(Clone, Debug)]
pub(super) struct Follow {
    tell: broadcast::Sender<Topic>,
    sure: Arc<AtomicBool>,
    shared: bool,
}

impl Facts {
    /// What other servers change from now on.
    pub fn following(&self) -> Following {
        Following {
            changes: self.follow.tell.subscribe(),
            sure: Arc::clone(&self.follow.sure),
            _alone: self.follow.tell.clone(),
        }
    }

    /// Whether what other servers change is heard of at once. Always, where there are none.
    pub fn is_sure(&self) -> bool {
        self.follow.sure.load(Ordering::Acquire)
    }
}

impl Following {
    /// The next change of another server.
    pub async fn next(&mut self) -> Topic {
        match self.changes.recv().await {
            Ok(topic) => topic,
            Err(broadcast::error::RecvError::Lagged(_)) => Topic::Everything,
            Err(broadcast::error::RecvError::Closed) => std::future::pending().await,
        }
    }

    /// Whether what other servers change is heard of at once.
    pub fn is_sure(&self) -> bool {
        self.sure.load(Ordering::Acquire)
    }
}

impl Follow {
    /// Where nobody else changes anything.
    pub(super) fn alone() -> Self {
        Self { tell: broadcast::channel(1).0, sure: Arc::new(AtomicBool::new(true)), shared: false }
    }

    /// Tells listeners of this server of a change as if another one had made it: for changes by roles that do not keep
    /// in memory what the change is about, where others do.
    pub(super) fn announce(&self, topic: Topic) {
        let _nobody_listens = self.tell.send(topic);
    }

    pub(super) const fn is_shared(&self) -> bool {
        self.shared
    }

    /// Listens for as long as the writer lives.
    pub(super) async fn start(address: String, writer: &Writer) -> Result<Self, Error> {
        let this =
            Self { tell: broadcast::channel(WAITING).0, sure: Arc::new(AtomicBool::new(true)), shared: true };
        let mut listener = listen(&address).await?;
        let (heard, writer) = (this.clone(), writer.listening());
        tokio::spawn(async move {
            loop {
                tokio::select! {
                    () = writer.ended() => return,
                    () = heard.hear(&mut listener, &writer) => {}
                }
                heard.sure.store(false, Ordering::Release);
                loop {
                    tokio::time::sleep(AGAIN).await;
                    if writer.has_ended() {
                        return;
                    }
                    match listen(&address).await {
                        Ok(again) => listener = again,
                        Err(error) => {
                            tracing::warn!(%error, "changes of other servers are not heard: nothing is answered from memory");
                            continue;
                        }
                    }
                    let _nobody_listens = heard.tell.send(Topic::Everything);
                    writer.look_again().await;
                    heard.sure.store(true, Ordering::Release);
                    break;
                }
            }
        });
        Ok(this)
    }

    /// Hands on what comes, until the connection breaks.
    async fn hear(&self, listener: &mut PgListener, writer: &super::writer::Listening) {
        loop {
            match listener.try_recv().await {
                Ok(Some(notification)) => {
                    for topic in read(notification.payload(), writer.server()) {
                        if let Topic::Entries(next) = topic {
                            writer.entered(next);
                        }
                        let _nobody_listens = self.tell.send(topic);
                    }
                }
                Ok(None) | Err(_) => return,
            }
        }
    }
}

async fn listen(address: &str) -> Result<PgListener, Error> {
    let mut listener = PgListener::connect(address).await?;
    listener.eager_reconnect(false);
    listener.listen(CHANNEL).await?;
    Ok(listener)
}

/// A notification: the server that speaks, then a topic a line.
pub(super) fn write(server: &str, topics: &[Topic]) -> String {
    let mut text = server.to_owned();
    for topic in topics {
        text.push('\n');
        match topic {
            Topic::Repository(name) => text.extend(["r", name]),
            Topic::Verdicts => text.push('v'),
            Topic::Access => text.push('a'),
            Topic::Jobs => text.push('j'),
            Topic::Settings => text.push('s'),
            Topic::Entries(next) => text.extend(["e", &next.to_string()]),
            Topic::Everything => text.push('*'),
        }
    }
    if text.len() <= MAX_PAYLOAD {
        return text;
    }
    let mut short = format!("{server}\n*");
    for topic in topics {
        if let Topic::Entries(next) = topic {
            short.extend(["\ne", &next.to_string()]);
        }
    }
    short
}

/// The topics of a notification of another server than `own`.
fn read(text: &str, own: &str) -> Vec<Topic> {
    let mut lines = text.lines();
    if lines.next() == Some(own) {
        return Vec::new();
    }
    let topic = |line: &str| match line.split_at_checked(1) {
        Some(("r", name)) => Topic::Repository(name.to_owned()),
        Some(("v", _)) => Topic::Verdicts,
        Some(("a", _)) => Topic::Access,
        Some(("j", _)) => Topic::Jobs,
        Some(("s", _)) => Topic::Settings,
        Some(("e", next)) => next.parse().map_or(Topic::Everything, Topic::Entries),
        // What a newer version says, this one takes for anything.
        _ => Topic::Everything,
    };
    lines.map(topic).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_notification_says_what_it_was_told() {
        let topics = vec![
            Topic::Repository("team/a".into()),
            Topic::Verdicts,
            Topic::Access,
            Topic::Entries(7),
            Topic::Everything,
        ];
        assert_eq!(read(&write("one", &topics), "two"), topics);
        assert_eq!(read(&write("one", &topics), "one"), [], "one's own changes are known");
        let many: Vec<_> = (0..1000).map(|n| Topic::Repository(format!("team/{n:010}"))).collect();
        assert_eq!(read(&write("one", &many), "two"), [Topic::Everything]);
        assert_eq!(read("one\nz?", "two"), [Topic::Everything], "of a newer version");
    }
}
