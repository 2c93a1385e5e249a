//! Sockets of a group, as its network namespace tells (`proc_pid_net(5)`): what listens, and which conversations there are.

use std::{collections::BTreeSet, fs, io::Read as _};

/// Bytes of a list that are read: a hundred thousand conversations.
const MAX_LIST: u64 = 16 << 20;
/// States of `include/net/tcp_states.h`, as the list writes them.
const LISTENS: &str = "0A";
/// Those of which nothing more comes: it waits for stray packets, or is closed.
const OVER: [&str; 2] = ["06", "07"];

/// Ports on which somebody listens, in the network of this process.
pub fn listening(pid: i32) -> BTreeSet<u16> {
    let lists = lists(pid);
    lists.lines().filter_map(socket).filter(|(_, state)| *state == LISTENS).map(|(port, _)| port).collect()
}

/// Conversations at these ports that are not over, also those that are only just begun.
pub fn open(pid: i32, ports: &BTreeSet<u16>) -> usize {
    let lists = lists(pid);
    let is_open = |state: &str| state != LISTENS && !OVER.contains(&state);
    lists.lines().filter_map(socket).filter(|(port, state)| ports.contains(port) && is_open(state)).count()
}

fn lists(pid: i32) -> String {
    let mut text = String::new();
    for name in ["tcp", "tcp6"] {
        // A process that ended has none.
        if let Ok(file) = fs::File::open(format!("/proc/{pid}/net/{name}")) {
            let _ = file.take(MAX_LIST).read_to_string(&mut text);
        }
    }
    text
}

/// `NUMBER: LOCAL:PORT REMOTE:PORT STATE …`, in hexadecimal.
fn socket(line: &str) -> Option<(u16, &str)> {
    let mut fields = line.split_whitespace();
    let (_, port) = fields.nth(1)?.rsplit_once(':')?;
    Some((u16::from_str_radix(port, 16).ok()?, fields.nth(1)?))
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, TcpStream};

    use super::*;

    #[test]
    fn of_this_process() {
        let pid = i32::try_from(std::process::id()).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let ports = BTreeSet::from([port]);
        assert!(listening(pid).contains(&port));
        assert_eq!(open(pid, &ports), 0);
        let client = TcpStream::connect(("127.0.0.1", port)).unwrap();
        // Nobody has accepted it yet.
        assert_eq!(open(pid, &ports), 1);
        let (server, _) = listener.accept().unwrap();
        drop((client, server, listener));
        assert!(!listening(pid).contains(&port));
    }
}
