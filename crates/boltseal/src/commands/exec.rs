//! `boltseal exec GROUP[/CONTAINER] -- COMMAND`

use std::{
    io::{self, IsTerminal as _, stderr, stdin, stdout},
    process::{Command, Stdio},
    thread,
};

use boltseal_api::groups::Exec;
use boltseal_runtime::start::{Join, Request};

use crate::{
    console::Console,
    exit::{Exit, Failure},
    lent::Lent,
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
  boltseal exec -t shop/web -- sh

Exit codes: that of the program; 126 it could not be started; 2 there is no such container, or it does not run; 3 no agent answers")]
pub struct Args {
    /// Group, and container where it has several
    #[arg(value_name = "GROUP[/CONTAINER]")]
    container: String,
    /// The program and its arguments
    #[arg(last = true, value_name = "COMMAND", required = true)]
    command: Vec<String>,
    /// Give it a terminal
    #[arg(long, short)]
    terminal: bool,
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
pub fn run(args: &Args, _: &Console) -> Result<Exit, Failure> {
    let agent = args.node.agent()?;
    let (group, container) = node::container(&agent, &args.container)?;
    let listening = if args.terminal { Some(Lent::new()?) } else { None };
    let wanted = Exec {
        command: args.command.clone(),
        env: args.env.clone(),
        folder: args.folder.clone(),
        user: args.user,
        terminal: listening.as_ref().map(|lent| lent.path().display().to_string()),
    };
    let path = format!("/v1/groups/{}/{}/exec", segment(&group), segment(&container));
    let join: Join = agent.ask("POST", &path, Some(&wanted))?;
    drop(agent);
    let text = serde_json::to_vec(&Request::Join(join)).map_err(Failure::fault)?;
    let asked = tempfile::NamedTempFile::new().map_err(Failure::fault)?;
    std::fs::write(asked.path(), text).map_err(Failure::fault)?;
    let mut program = Command::new(std::env::current_exe().map_err(Failure::fault)?);
    program.arg("__runtime").arg(asked.path()).env_clear();
    if let Some(lent) = listening {
        let child = program.stdin(Stdio::null()).stdout(Stdio::null()).spawn().map_err(Failure::fault)?;
        let code = lent.lend(child)?;
        drop(asked);
        // The five codes are ours; this one is the program's.
        std::process::exit(code.unwrap_or(KILLED));
    }
    // A terminal stays with whoever sits at it: the container gets pipes.
    let (input, out, err) = (stdin().is_terminal(), stdout().is_terminal(), stderr().is_terminal());
    let piped = |is_terminal: bool| if is_terminal { Stdio::piped() } else { Stdio::inherit() };
    program.stdin(if input { Stdio::null() } else { Stdio::inherit() }).stdout(piped(out)).stderr(piped(err));
    let mut child = program.spawn().map_err(Failure::fault)?;
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
