//! The process of one thread that makes, joins and ends containers.

use std::{
    fs::File,
    io::{self, Read as _, Seek as _, Write as _},
    path::Path,
    process::{Command, Stdio},
};

use boltseal_runtime::start::{Answer, End, Request, Start, Started};

use super::Error;

/// Bytes of what it says; an answer has some dozens.
const MAX_SAID: u64 = 64 << 10;
/// What makes this program that process.
pub const ROLE: &str = "__runtime";

/// Makes a container and starts it.
pub fn start(program: &Path, wanted: Start) -> Result<Started, Error> {
    match ask(program, &Request::Start(wanted))? {
        Answer::Started(started) => Ok(started),
        Answer::Refused(why) => Err(Error::Runtime(why)),
        Answer::Ended => Err(Error::Runtime("it answered something else".to_owned())),
    }
}

/// Ends a container at once, and removes what is left of it.
pub fn end(program: &Path, wanted: End) -> Result<(), Error> {
    match ask(program, &Request::End(wanted))? {
        Answer::Ended => Ok(()),
        Answer::Refused(why) => Err(Error::Runtime(why)),
        Answer::Started(_) => Err(Error::Runtime("it answered something else".to_owned())),
    }
}

fn ask(program: &Path, request: &Request) -> Result<Answer, Error> {
    let failed = |what: &'static str| Error::io(format!("{} {ROLE}: {what}", program.display()));
    // Files, not pipes: where it is killed, copies of it that hold its streams may go on, and nobody waits for those here.
    // Beside the states, which are in memory: a full disk is no reason why something could not be ended.
    let state = match request {
        Request::Start(Start { state, .. }) | Request::End(End { state, .. }) => {
            state.parent().unwrap_or(state)
        }
        Request::Join(_) => return Err(Error::Runtime("what joins has no answer".to_owned())),
    };
    let (out, err) = (tempfile::tempfile_in(state), tempfile::tempfile_in(state));
    let (mut out, mut err) = (out.map_err(failed("its answer"))?, err.map_err(failed("its answer"))?);
    let other = |file: &File| file.try_clone().map_err(failed("its answer"));
    let mut child = Command::new(program)
        .arg(ROLE)
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(other(&out)?)
        .stderr(other(&err)?)
        .spawn()
        .map_err(failed("starting it"))?;
    let text = serde_json::to_vec(request).map_err(|error| failed("asking")(error.into()))?;
    if let Some(mut stdin) = child.stdin.take() {
        // One that was killed does not read; its end says so.
        let _ = stdin.write_all(&text);
    }
    let ended = child.wait().map_err(failed("its end"))?;
    let answer = read(&mut out).map_err(failed("its answer"))?;
    serde_json::from_slice(&answer).map_err(|_| {
        // What it says beside is for people; it may be none.
        let said = read(&mut err).unwrap_or_default();
        let said = String::from_utf8_lossy(&said).trim().to_owned();
        Error::Runtime(format!("the process that makes containers ended ({ended}) without an answer: {said}"))
    })
}

fn read(file: &mut File) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    file.rewind()?;
    file.take(MAX_SAID).read_to_end(&mut text)?;
    Ok(text)
}
