//! Sitting at what is run, until it ends or is left.

use std::time::Instant;

use boltseal_api::groups::{Attended, Group, GroupState};

use super::{Args, LOOK, PATIENCE, told, wait};
use crate::{
    console::Console,
    exit::Failure,
    lent::{self, Left, keys::Keys},
    node::{Asked, segment},
};

/// What one that was killed is said to have ended with: 128 and `SIGKILL`.
const KILLED: i32 = 137;

/// How somebody is to sit at it.
pub(super) fn attended(args: &Args, is_file: bool) -> Result<Option<Attended>, Failure> {
    if !args.interactive && !args.terminal {
        return Ok(None);
    }
    if is_file {
        return Err(Failure::usage("-i and -t are for an image: a group's file has no terminals")
            .next("join a container of it: boltseal exec -it GROUP/CONTAINER -- COMMAND"));
    }
    let held = !args.detach;
    if held {
        lent::can_sit(args.terminal, args.interactive)?;
    }
    let terminal = args.terminal.then(|| {
        let size = lent::size();
        (size.rows, size.columns)
    });
    Ok(Some(Attended { terminal, input: args.interactive, held }))
}

/// Sits at it until it ends; gives the code it ended with, or nothing where it was left.
pub fn sit(
    agent: &Asked,
    group: &Group,
    input: bool,
    keys: &Keys,
    console: &Console,
) -> Result<Option<i32>, Failure> {
    let one = group.containers.first().ok_or_else(|| Failure::fault("a group without containers"))?;
    let left = lent::attached::attend(agent, (&group.name, &one.name), keys, input)?;
    match left {
        Some(Left::Detached) => {
            console.note(format_args!("left it: boltseal attach {} comes back", group.name));
            Ok(None)
        }
        Some(Left::Replaced) => {
            console.note(format_args!("somebody else sits at {} now", group.name));
            Ok(None)
        }
        Some(Left::Ended(Some(code))) => {
            // What else there is to say of it, where an agent is there to say it.
            match ended(agent, &group.name, console) {
                Ok(of_agent) => Ok(Some(of_agent.unwrap_or(code))),
                Err(failure) => {
                    console.warning(format_args!("it ended with {code}; {failure}"));
                    Ok(Some(code))
                }
            }
        }
        // Its first process was killed, so only the agent can say how it ended.
        Some(Left::Ended(None)) => ended(agent, &group.name, console).map(|code| code.or(Some(KILLED))),
        None => wait(agent, &group.name, console).map(Some),
    }
}

/// How it ended, once the agent knows that it did; nothing where it is started again.
fn ended(agent: &Asked, name: &str, console: &Console) -> Result<Option<i32>, Failure> {
    let asked = Instant::now();
    while asked.elapsed() < PATIENCE {
        let group: Group = agent.get(&format!("/v1/groups/{}", segment(name)))?;
        if !matches!(group.state, GroupState::Starting | GroupState::Running | GroupState::Stopping) {
            let one = group.containers.into_iter().next().and_then(|one| one.ended);
            return Ok(one.map(|ended| told(&ended, console)));
        }
        std::thread::sleep(LOOK);
    }
    Ok(None)
}
