//! A seat at a container that runs, or is about to: what its first process has for whoever comes.

use std::{
    io::{self, Write as _, stderr, stdout},
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use boltseal_api::groups::{Group, GroupState, Seat as Place};
use boltseal_runtime::start::{
    attend::{self, Seat, Shown, Size, Typed},
    log::Stream,
};

use super::{Far, How, Left, keys::Keys, sit};
use crate::{
    exit::Failure,
    node::{Asked, segment},
};

/// How long a container may take to begin: its image is there already.
const PATIENCE: Duration = Duration::from_mins(2);
/// How often it is tried.
const LOOK: Duration = Duration::from_millis(5);
/// After how many tries it is asked whether it will come to anything.
const ASK_EVERY: u32 = 50;
/// Bytes of what is typed that are said at once.
const CHUNK: usize = attend::MAX - 1;

/// Sits at a container. Nothing where it ended before anybody could.
pub fn attend(
    agent: &Asked,
    (group, container): (&str, &str),
    keys: &Keys,
    input: bool,
) -> Result<Option<Left>, Failure> {
    let place = format!("/v1/groups/{}/{}/attend", segment(group), segment(container));
    let place: Place = agent.ask("POST", &place, None::<&()>)?;
    let how = How { terminal: place.terminal, input: input && place.input, keys: keys.clone() };
    super::can_sit(how.terminal, how.input)?;
    let Some(seat) = seat(agent, group, Path::new(&place.socket))? else { return Ok(None) };
    let seat = Arc::new(seat);
    let heard = Arc::clone(&seat);
    let left = sit(&seat, &how, move || show(&heard))?;
    seat.leave();
    Ok(Some(left))
}

/// Waits until it can be taken, as long as the group may still begin.
fn seat(agent: &Asked, group: &str, socket: &Path) -> Result<Option<Seat>, Failure> {
    let begun = Instant::now();
    let mut tries = 0_u32;
    loop {
        match Seat::take(socket) {
            Ok(seat) => return Ok(Some(seat)),
            Err(error)
                if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused) => {}
            Err(error) => return Err(Failure::fault(format_args!("{}: {error}", socket.display()))),
        }
        tries = tries.wrapping_add(1);
        if tries.is_multiple_of(ASK_EVERY) {
            let group: Group = agent.get(&format!("/v1/groups/{}", segment(group)))?;
            if !matches!(group.state, GroupState::Starting | GroupState::Running) {
                return Ok(None);
            }
            if begun.elapsed() > PATIENCE {
                return Err(Failure::undecided(format_args!("{} did not begin in time", group.name)));
            }
        }
        std::thread::sleep(LOOK);
    }
}

/// Shows what the container writes, byte by byte.
fn show(seat: &Seat) -> Left {
    let mut space = [0; attend::MAX];
    loop {
        let written = match seat.hear(&mut space) {
            Ok(Some(Shown::Bytes(Stream::Stdout, bytes))) => {
                let mut out = stdout().lock();
                out.write_all(bytes).and_then(|()| out.flush())
            }
            Ok(Some(Shown::Bytes(Stream::Stderr, bytes))) => stderr().write_all(bytes),
            Ok(Some(Shown::Ended(code))) => return Left::Ended(Some(code)),
            Ok(Some(Shown::Replaced)) => return Left::Replaced,
            // Its first process was killed, so nobody could say how it ended.
            Ok(None) | Err(_) => return Left::Ended(None),
        };
        if written.is_err() {
            // Nobody reads any more: what is left of it is in the log.
            return Left::Detached;
        }
    }
}

impl Far for Seat {
    fn typed(&self, bytes: &[u8]) -> io::Result<()> {
        bytes.chunks(CHUNK).try_for_each(|bytes| self.say(&Typed::Bytes(bytes)))
    }

    fn no_more(&self) -> io::Result<()> {
        self.say(&Typed::End)
    }

    fn sized(&self, size: Size) -> io::Result<()> {
        self.say(&Typed::Size(size))
    }

    fn signal(&self, number: i32) -> io::Result<()> {
        self.say(&Typed::Signal(u8::try_from(number).map_err(io::Error::other)?))
    }
}
