//! `boltseal exec GROUP[/CONTAINER] -- COMMAND`

use std::{
    io::{self, IsTerminal as _, stderr, stdin, stdout},
    os::unix::process::CommandExt as _,
    process::{Command, Stdio},
    thread,
};

use boltseal_api::groups::Exec;
use boltseal_runtime::start::{Join, Request};

use crate::{
    console::Console,
    exit::{Exit, Failure},
    lent::{
        self, How, Left,
        joined::Coming,
        keys::{self, Keys},
    },
    node::{self, Node, segment},
};

/// What one that was killed is said to have ended with: 128 and `SIGKILL`.
const KILLED: i32 = 137;

/// Where, and what.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
The program joins the container as its own user and is sealed as its own program is: no capability, no new programs, the same \
filter of system calls. That it was asked for is written down before it starts.

Examples:
  boltseal exec shop/web -- ls /data
  boltseal exec -it shop/web -- sh
  boltseal exec -i shop/web -- tar -x -C /data < data.tar

With a terminal, ctrl-p ctrl-q leave it, and the program goes on without anybody.

Exit codes: that of the program, 0 where it was left; 126 it could not be started; 2 there is no such container, or it does not run; 3 no agent answers")]
pub struct Args {
    /// Group, and container where it has several
    #[arg(value_name = "GROUP[/CONTAINER]")]
    container: String,
    /// The program and its arguments
    #[arg(last = true, value_name = "COMMAND", required = true)]
    command: Vec<String>,
    /// Give it a terminal of the container's own
    #[arg(long, short, visible_alias = "tty")]
    terminal: bool,
    /// Give it what comes on standard input, also from a terminal
    #[arg(long, short)]
    interactive: bool,
    /// Keys that leave it, where it has a terminal: letters and ctrl-LETTER, with commas
    #[arg(long, value_name = "KEYS", default_value = keys::DEFAULT)]
    detach_keys: Keys,
    /// Variable
    #[arg(long, short, value_name = "NAME=VALUE", value_parser = pair)]
    env: Vec<(String, String)>,
    /// Folder to start in
    #[arg(long, short = 'w', value_name = "FOLDER")]
    folder: Option<String>,
    /// As this user and group, by number: `1000`, `1000:1000`
    #[arg(long, short, value_name = "USER[:GROUP]", value_parser = user)]
    user: Option<(u32, u32)>,
    #[command(flatten)]
    node: Node,
}

fn pair(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("it is NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

fn user(text: &str) -> Result<(u32, u32), String> {
    let number = |text: &str| text.parse::<u32>().ok().filter(|number| *number < 65_536);
    let (user, group) = text.split_once(':').unwrap_or((text, text));
    let group = if text.contains(':') { number(group) } else { Some(0) };
    number(user).zip(group).ok_or_else(|| "it is one or two numbers below 65536".to_owned())
}

/// Joins.
pub fn run(args: &Args, console: &Console) -> Result<Exit, Failure> {
    let is_terminal = stdin().is_terminal();
    // One that sits at a terminal types.
    let types = args.interactive || is_terminal;
    if args.terminal {
        lent::can_sit(true, types)?;
    }
    let agent = args.node.agent()?;
    let (group, container) = node::container(&agent, &args.container)?;
    let coming = if args.terminal { Some(Coming::new()?) } else { None };
    let mut env = args.env.clone();
    if args.terminal && !env.iter().any(|(name, _)| name == "TERM") {
        env.extend(lent::kind().map(|kind| ("TERM".to_owned(), kind)));
    }
    let wanted = Exec {
        command: args.command.clone(),
        env,
        folder: args.folder.clone(),
        user: args.user,
        terminal: coming.as_ref().map(|coming| coming.path().display().to_string()),
    };
    let path = format!("/v1/groups/{}/{}/exec", segment(&group), segment(&container));
    let join: Join = agent.ask("POST", &path, Some(&wanted))?;
    drop(agent);
    let text = serde_json::to_vec(&Request::Join(join)).map_err(Failure::fault)?;
    let asked = tempfile::NamedTempFile::new().map_err(Failure::fault)?;
    std::fs::write(asked.path(), text).map_err(Failure::fault)?;
    let mut program = Command::new(std::env::current_exe().map_err(Failure::fault)?);
    program.arg("__runtime").arg(asked.path()).env_clear();
    if let Some(coming) = coming {
        // Of a group of its own: what is left there goes on when the terminal here is closed.
        program.stdin(Stdio::null()).stdout(Stdio::null()).process_group(0);
        let child = program.spawn().map_err(Failure::fault)?;
        let how = How { terminal: true, input: types, keys: args.detach_keys.clone() };
        let left = coming.sit(child, &how)?;
        drop(asked);
        if left == Left::Detached {
            console.note(format_args!("left it: the program goes on in {group}/{container}"));
            return Ok(Exit::Pass);
        }
        // The five codes are ours; this one is the program's.
        let Left::Ended(Some(code)) = left else { std::process::exit(KILLED) };
        std::process::exit(code)
    }
    // A terminal stays with whoever sits at it: the container gets pipes.
    let (out, err) = (stdout().is_terminal(), stderr().is_terminal());
    let piped = |is_terminal: bool| if is_terminal { Stdio::piped() } else { Stdio::inherit() };
    program.stdin(match (is_terminal, args.interactive) {
        (true, true) => Stdio::piped(),
        (true, false) => Stdio::null(),
        (false, _) => Stdio::inherit(),
    });
    program.stdout(piped(out)).stderr(piped(err));
    let mut child = program.spawn().map_err(Failure::fault)?;
    if let Some(mut input) = child.stdin.take() {
        // It ends with this process: nothing else interrupts whoever waits for a line.
        thread::spawn(move || io::copy(&mut stdin(), &mut input));
    }
    let (out, err) = (child.stdout.take(), child.stderr.take());
    let copies = [
        out.map(|mut from| thread::spawn(move || io::copy(&mut from, &mut stdout()))),
        err.map(|mut from| thread::spawn(move || io::copy(&mut from, &mut stderr()))),
    ];
    let ended = child.wait().map_err(Failure::fault)?;
    for copy in copies.into_iter().flatten() {
        let _ = copy.join();
    }
    drop(asked);
    std::process::exit(ended.code().unwrap_or(KILLED))
}
