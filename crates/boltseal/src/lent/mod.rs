//! Whoever sits here, at a container: what they type goes to a program in it, what that writes comes back.
//!
//! ```text
//! stdin ──keys──▶ Far: a seat at the container, or the other side of a terminal ──▶ the program
//! stdout ◀────────┘
//! ```
//!
//! The program gets a terminal of the container's own, so nothing in there ever holds the terminal of the machine. That one passes
//! on every key meanwhile, and is as it was before however this ends, but by `SIGKILL`.
//!
//! | module | what it has |
//! |---|---|
//! | [`attached`] | the seat at a container |
//! | [`joined`] | the terminal of a program that joins one |
//! | [`keys`] | the keys that leave it |
//! | `raw` | the terminal of whoever sits here |

pub mod attached;
pub mod joined;
pub mod keys;
mod raw;

use std::{
    io::{self, IsTerminal as _, Read as _, stdin},
    sync::{Arc, mpsc},
    thread,
};

use boltseal_runtime::start::attend::Size;
use rustix::termios::Termios;
use tokio::signal::unix::{Signal, SignalKind, signal};

use self::{keys::Keys, raw::Raw};
use crate::exit::Failure;

/// Bytes that are read of what is typed at once.
const CHUNK: usize = 4_096;

/// The other side.
pub trait Far: Send + Sync + 'static {
    /// Somebody typed this.
    fn typed(&self, bytes: &[u8]) -> io::Result<()>;
    /// Nothing more is typed.
    fn no_more(&self) -> io::Result<()>;
    /// The terminal has another size.
    fn sized(&self, size: Size) -> io::Result<()>;
    /// The program is to get a signal.
    fn signal(&self, number: i32) -> io::Result<()>;
}

/// How one sits there.
#[derive(Clone, Debug)]
pub struct How {
    /// The program has a terminal.
    pub terminal: bool,
    /// What is typed goes to it.
    pub input: bool,
    /// What leaves it.
    pub keys: Keys,
}

/// How it came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Left {
    /// The program ended, with this code where that was told.
    Ended(Option<i32>),
    /// Whoever sits here left, and it goes on.
    Detached,
    /// Somebody else took the place.
    Replaced,
}

/// The size of the terminal here; where there is none, that of the oldest ones.
pub fn size() -> Size {
    raw::size().unwrap_or(Size { rows: 24, columns: 80 })
}

/// What kind of terminal is here, as its variable says.
pub fn kind() -> Option<String> {
    std::env::var("TERM").ok().filter(|kind| !kind.is_empty())
}

/// Whether somebody can sit here as is asked for.
pub fn can_sit(terminal: bool, input: bool) -> Result<(), Failure> {
    if terminal && input && !stdin().is_terminal() {
        return Err(Failure::usage("there is no terminal on standard input")
            .next("leave out -t: what comes there goes to the program with -i alone"));
    }
    Ok(())
}

/// Sits there until it ends or is left; `show` shows what the program writes, until it ends.
pub fn sit(
    far: &Arc<impl Far>,
    how: &How,
    show: impl FnOnce() -> Left + Send + 'static,
) -> Result<Left, Failure> {
    let raw = if how.terminal && how.input { Some(Raw::new().map_err(Failure::fault)?) } else { None };
    follow_signals(far, how.terminal, raw.as_ref().map(|raw| raw.before().clone()))?;
    if how.terminal {
        // One that ended already needs no size.
        let _ = far.sized(size());
    }
    let (left, leaving) = mpsc::channel();
    if how.input {
        // What comes from a file may have any bytes in it.
        let keys = if how.terminal { how.keys.clone() } else { Keys::default() };
        let (far, left) = (Arc::clone(far), left.clone());
        // It ends with the process: nothing else interrupts whoever waits for a key.
        thread::spawn(move || {
            if pass_on(&*far, &keys) {
                let _ = left.send(Left::Detached);
            }
        });
    }
    thread::spawn(move || left.send(show()));
    let how_it_ended = leaving.recv().map_err(Failure::fault)?;
    drop(raw);
    Ok(how_it_ended)
}

/// Passes on what is typed; true where that were the keys that leave.
fn pass_on(far: &impl Far, keys: &Keys) -> bool {
    let mut keys = keys.watch();
    let mut chunk = [0; CHUNK];
    loop {
        let read = match stdin().lock().read(&mut chunk) {
            Ok(0) => {
                let _ = far.typed(keys.held()).and_then(|()| far.no_more());
                return false;
            }
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(_) => return false,
        };
        let (typed, leaves) = keys.take(chunk.get(..read).unwrap_or_default());
        if !typed.is_empty() && far.typed(&typed).is_err() {
            return false;
        }
        if leaves {
            return true;
        }
    }
}

/// Passes on the size of the terminal, and without one, signals. With one, a signal ends this program alone, which leaves the
/// terminal as it was.
fn follow_signals(far: &Arc<impl Far>, has_terminal: bool, before: Option<Termios>) -> Result<(), Failure> {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Failure::fault)?;
    let listening = {
        let _within = runtime.enter();
        let each = |kind: SignalKind| signal(kind).map(|signal| (kind.as_raw_value(), signal));
        let kinds = [
            SignalKind::window_change(),
            SignalKind::hangup(),
            SignalKind::interrupt(),
            SignalKind::quit(),
            SignalKind::terminate(),
            SignalKind::user_defined1(),
            SignalKind::user_defined2(),
        ];
        kinds.into_iter().map(each).collect::<io::Result<Vec<_>>>().map_err(Failure::fault)?
    };
    let far = Arc::clone(far);
    thread::spawn(move || {
        runtime.block_on(async {
            let mut listening = listening;
            loop {
                let number = next(&mut listening).await;
                let told = if number == SignalKind::window_change().as_raw_value() {
                    if has_terminal { far.sized(size()) } else { Ok(()) }
                } else if has_terminal {
                    if let Some(before) = &before {
                        raw::restore(before);
                    }
                    std::process::exit(128_i32.saturating_add(number))
                } else {
                    far.signal(number)
                };
                if told.is_err() {
                    return;
                }
            }
        });
    });
    Ok(())
}

/// The number of the next signal.
async fn next(listening: &mut [(i32, Signal)]) -> i32 {
    std::future::poll_fn(|context| {
        for (number, signal) in &mut *listening {
            if signal.poll_recv(context).is_ready() {
                return std::task::Poll::Ready(*number);
            }
        }
        std::task::Poll::Pending
    })
    .await
}
