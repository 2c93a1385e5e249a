//! People who sit at a container: the real commands at a real terminal, and at pipes.

use std::{
    fs::{self, File},
    io::{Read as _, Write as _},
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use boltseal_testkit::peer;
use rustix::{
    process::{Pid, Signal, kill_process},
    termios::{Winsize, tcsetwinsize},
};

use crate::node::{Node, text};

const PATIENCE: Duration = Duration::from_mins(1);
/// Leaves it.
const LEAVE: &str = "\x10\x11";

/// What a shell does at their terminal: the command, and then it writes down how the terminal is. The terminal goes away with the shell,
/// which waits for a line.
const SHELL: &str = r#""$@"; code=$?; stty -a > "$0"; read -r line; exit $code"#;

/// Somebody at a terminal.
struct Person {
    keyboard: File,
    seen: Arc<Mutex<String>>,
    shell: Child,
    modes: tempfile::NamedTempFile,
}

impl Person {
    /// Types a command at a terminal of 33 lines, 77 characters each.
    fn at(node: &Node, arguments: &[&str]) -> Self {
        let pair = nix::pty::openpty(None, None).unwrap();
        let size = Winsize { ws_row: 33, ws_col: 77, ws_xpixel: 0, ws_ypixel: 0 };
        tcsetwinsize(&pair.master, size).unwrap();
        let stream = || Stdio::from(pair.slave.try_clone().unwrap());
        let modes = tempfile::NamedTempFile::new().unwrap();
        let mut shell = Command::new("setsid");
        shell.args(["--ctty", "sh", "-c", SHELL]).arg(modes.path());
        shell.arg(env!("CARGO_BIN_EXE_boltseal")).args(arguments).env("TERM", "vt100");
        shell.stdin(stream()).stdout(stream()).stderr(stream());
        node.let_ask(&mut shell);
        let shell = shell.spawn().unwrap();
        let seen = Arc::new(Mutex::new(String::new()));
        let (mut screen, shown) = (File::from(pair.master.try_clone().unwrap()), Arc::clone(&seen));
        std::thread::spawn(move || {
            let mut chunk = [0; 4_096];
            while let Ok(read @ 1..) = screen.read(&mut chunk) {
                shown.lock().unwrap().push_str(&String::from_utf8_lossy(&chunk[..read]));
            }
        });
        Self { keyboard: pair.master.into(), seen, shell, modes }
    }

    /// The command.
    fn pid(&self) -> Pid {
        let shell = self.shell.id();
        let children = fs::read_to_string(format!("/proc/{shell}/task/{shell}/children")).unwrap();
        Pid::from_raw(children.trim().parse().unwrap()).unwrap()
    }

    fn types(&mut self, keys: &str) {
        self.keyboard.write_all(keys.as_bytes()).unwrap();
    }

    /// Waits until it is on the screen.
    #[track_caller]
    fn sees(&self, wanted: &str) {
        let begun = Instant::now();
        while !self.seen.lock().unwrap().contains(wanted) {
            assert!(begun.elapsed() < PATIENCE, "no {wanted:?} in {:?}", self.seen.lock().unwrap());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// The code of the command, which left the terminal as it was.
    #[track_caller]
    fn done(mut self) -> i32 {
        let begun = Instant::now();
        while fs::metadata(self.modes.path()).unwrap().len() == 0 {
            if begun.elapsed() > PATIENCE {
                let _ = kill_process(self.pid(), Signal::KILL);
                panic!("it goes on after {:?}", self.seen.lock().unwrap());
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        let modes = fs::read_to_string(self.modes.path()).unwrap();
        for mode in ["echo", "icanon", "isig", "opost", "icrnl"] {
            assert!(modes.split_whitespace().any(|word| word == mode), "{modes}");
        }
        self.types("\n");
        self.shell.wait().unwrap().code().unwrap()
    }
}

fn shell(name: &str, image: &str) -> Vec<String> {
    ["run", "-it", "--rm", "--allow-unverified", "--name", name, image, "--", "sh"]
        .map(str::to_owned)
        .to_vec()
}

#[track_caller]
fn a_shell(node: &Node, name: &str) {
    let image = node.image.clone();
    let arguments = shell(name, &image);
    let mut person = Person::at(node, &arguments.iter().map(String::as_str).collect::<Vec<_>>());
    person.sees("# ");
    person.types(
        "stty size; tty; echo $TERM; test -t 0 && test -t 1 && test -t 2 && echo is-$((1))-terminal\r",
    );
    for wanted in ["33 77\r\n", "/dev/pts/0\r\n", "vt100\r\n", "is-1-terminal\r\n"] {
        person.sees(wanted);
    }
    person.types("echo by-$((2))-name > /dev/console; echo by-$((3))-name > /dev/tty\r");
    person.sees("by-2-name");
    person.sees("by-3-name");
    // Another size, which the program is told of.
    let size = Winsize { ws_row: 21, ws_col: 101, ws_xpixel: 0, ws_ypixel: 0 };
    tcsetwinsize(&person.keyboard, size).unwrap();
    let begun = Instant::now();
    while !person.seen.lock().unwrap().contains("21 101") && begun.elapsed() < PATIENCE {
        person.types("stty size\r");
        std::thread::sleep(Duration::from_millis(200));
    }
    person.sees("21 101");
    // What is typed to end something ends that alone.
    person.types("sleep 1000\r");
    std::thread::sleep(Duration::from_millis(500));
    person.types("\x03");
    person.types("echo ended-with-$?\r");
    person.sees("ended-with-130");
    assert_eq!(node.group(name)["containers"][0]["terminal"], true);
    assert!(node.ok(&["inspect", name]).contains(&format!("has a terminal: boltseal attach {name}/{name}")));
    assert!(node.ok(&["logs", name]).contains("is-1-terminal"), "{}", node.log());
    person.types("exit 7\r");
    assert_eq!(person.done(), 7, "{}", node.log());
    assert_eq!(node.left(name), Vec::<String>::new());
}

#[test]
fn a_shell_at_a_terminal() {
    let Some(node) = Node::new() else { return };
    a_shell(&node, "shell");
    let events = node.ok(&["events", "--json"]);
    assert!(events.contains("container.attend"), "{events}");
}

#[test]
fn a_shell_at_a_terminal_made_by_runc() {
    if peer("runc").is_none() {
        return;
    }
    let Some(node) = Node::with(&["--runtime", "runc"]) else { return };
    a_shell(&node, "shell-by-runc");
}

#[test]
fn a_shell_that_is_left_and_outlives_the_agent() {
    let Some(mut node) = Node::new() else { return };
    let image = node.image.clone();
    let arguments = shell("left", &image);
    let mut person = Person::at(&node, &arguments.iter().map(String::as_str).collect::<Vec<_>>());
    person.sees("# ");
    node.kill();
    // Neither the shell nor whoever sits there needs it.
    person.types("echo still-$((40+2))\r");
    person.sees("still-42");
    // The network that the agent was in goes with it, a little later.
    std::thread::sleep(Duration::from_millis(1_200));
    node.begin();
    person.types(LEAVE);
    person.sees("boltseal attach left comes back");
    assert_eq!(person.done(), 0);
    assert_eq!(node.group("left")["state"], "running", "{}", node.log());
    assert!(node.ok(&["logs", "left"]).contains("still-42"), "{}", node.log());
    let mut first = Person::at(&node, &["attach", "left"]);
    first.types("echo first-$((1))\r");
    first.sees("first-1");
    // One sits there at a time; what is typed goes to the same shell.
    let mut second = Person::at(&node, &["attach", "left", "--detach-keys", "ctrl-a,d"]);
    first.sees("somebody else sits at left now");
    assert_eq!(first.done(), 0);
    second.types("echo second-$((2))\r");
    second.sees("second-2");
    // Ended from outside, it leaves the terminal as it was, and the container as it is.
    kill_process(second.pid(), Signal::TERM).unwrap();
    assert_eq!(second.done(), 143);
    let mut third = Person::at(&node, &["attach", "left"]);
    third.types("exit 5\r");
    assert_eq!(third.done(), 5, "{}", node.log());
    node.until("left", |group| group["containers"][0]["ended"]["code"] == 5);
    node.ok(&["rm", "left"]);
    assert_eq!(node.left("left"), Vec::<String>::new());
}

#[test]
fn a_program_that_joins_at_a_terminal() {
    let Some(node) = Node::new() else { return };
    let image = node.image.clone();
    node.ok(&["run", "-d", "--allow-unverified", "--name", "joined", &image, "--", "sleep", "1000"]);
    node.until("joined", |group| group["state"] == "running");
    let mut person = Person::at(&node, &["exec", "-it", "joined", "--", "sh"]);
    person.sees("# ");
    person.types("stty size; echo $TERM\r");
    person.sees("33 77\r\n");
    person.sees("vt100\r\n");
    person.types("exit 3\r");
    assert_eq!(person.done(), 3);
    // One that is left goes on.
    let mut person = Person::at(&node, &["exec", "-it", "joined", "--", "sh", "-c", "echo up; sleep 1001"]);
    person.sees("up");
    person.types(LEAVE);
    assert_eq!(person.done(), 0);
    std::thread::sleep(Duration::from_millis(300));
    assert!(node.ok(&["top", "joined"]).contains("sleep 1001"));
    node.ok(&["rm", "--force", "joined"]);
    assert_eq!(node.left("joined"), Vec::<String>::new());
}

#[test]
fn what_comes_on_standard_input() {
    let Some(node) = Node::new() else { return };
    let image = node.image.clone();
    let begin = |name: &str, script: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_boltseal"));
        command.args([
            "run",
            "-i",
            "--rm",
            "--allow-unverified",
            "--name",
            name,
            &image,
            "--",
            "sh",
            "-c",
            script,
        ]);
        node.let_ask(&mut command);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    };
    // Byte by byte, and with its end.
    let bytes: Vec<u8> =
        (0..300_000_u32).map(|number| (number.wrapping_mul(number) >> 7).to_le_bytes()[0]).collect();
    let mut copying = begin("copy", "cat; echo end >&2; exit 6");
    let mut input = copying.stdin.take().unwrap();
    let typed = bytes.clone();
    let typing = std::thread::spawn(move || input.write_all(&typed).unwrap());
    let copied = copying.wait_with_output().unwrap();
    typing.join().unwrap();
    assert_eq!(copied.status.code(), Some(6), "{}\n{}", text(&copied.stderr), node.log());
    assert!(copied.stdout == bytes, "{} bytes of {}", copied.stdout.len(), bytes.len());
    assert!(text(&copied.stderr).ends_with("end\n"), "{}", text(&copied.stderr));
    // Signals go on.
    let mut trapping =
        begin("trap", "trap 'echo got; exit 4' TERM; echo ready; while true; do sleep 0.1; done");
    let mut ready = [0; 6];
    trapping.stdout.as_mut().unwrap().read_exact(&mut ready).unwrap();
    kill_process(Pid::from_raw(trapping.id().cast_signed()).unwrap(), Signal::TERM).unwrap();
    let trapped = trapping.wait_with_output().unwrap();
    assert_eq!((trapped.status.code(), text(&trapped.stdout)), (Some(4), "got\n".to_owned()));
    for name in ["copy", "trap"] {
        assert_eq!(node.left(name), Vec::<String>::new());
    }
}

#[test]
fn where_nobody_can_sit() {
    let Some(node) = Node::new() else { return };
    let image = node.image.clone();
    let check = |arguments: &[&str], why: &str| {
        let refused = node.command(arguments);
        assert_eq!(refused.status.code(), Some(2), "{}", text(&refused.stderr));
        assert!(text(&refused.stderr).contains(why), "{}", text(&refused.stderr));
    };
    check(&["run", "-it", "--allow-unverified", &image], "there is no terminal on standard input");
    let file = node.data.path().join("group.yaml");
    fs::write(&file, "type: Microsoft.ContainerInstance/containerGroups\n").unwrap();
    check(&["run", "-t", file.to_str().unwrap()], "boltseal exec -it");
    check(&["run", "-it", "--detach-keys", "ctrl-1", &image], "ctrl-");
    node.ok(&["run", "-d", "--allow-unverified", "--name", "unseated", &image, "--", "sleep", "1000"]);
    check(&["attach", "unseated"], "unseated/unseated has no terminal and reads nothing");
    // Begun without anybody: it does not wait for them.
    node.ok(&[
        "run",
        "-dit",
        "--allow-unverified",
        "--name",
        "alone",
        &image,
        "--",
        "sh",
        "-c",
        "tty; exit 2",
    ]);
    let group = node.until("alone", |group| group["containers"][0]["ended"]["code"].is_i64());
    assert_eq!(group["containers"][0]["ended"]["code"], 2, "{group:#}");
    assert_eq!(node.ok(&["logs", "alone"]), "/dev/pts/0\r\n");
}
