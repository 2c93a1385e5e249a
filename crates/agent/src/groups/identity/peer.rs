//! Which container a connection is of, as the kernel says: its socket, who has that open, and in which control group they are
//! (`proc_pid_net(5)`, `proc_pid_fd(5)`).
//!
//! The one that asks waits for the answer, so its socket is there while this looks. A socket that processes of two containers
//! have open, because one gave it to the other, is nobody's.

use std::{
    collections::BTreeSet,
    fs,
    io::Read as _,
    net::{Ipv4Addr, Ipv6Addr},
    path::Path,
    sync::Arc,
};

use boltseal_runtime::start;

use crate::{
    groups::{
        container::{Contained, cgroup},
        group::Group,
    },
    network::{METADATA, METADATA_PORT},
};

/// Bytes of a table of sockets: some 50,000.
const MAX_TABLE: u64 = 8 << 20;
/// Open files that are looked at, of all processes of a group.
const MAX_FILES: usize = 200_000;

/// The container of a group that has a connection to us open.
pub fn container(group: &Group, from: (Ipv4Addr, u16), gateway: Ipv4Addr) -> Option<Arc<Contained>> {
    // All containers of a group are in one network: any of them has the table.
    let pids: Vec<i32> = group.containers.iter().filter_map(|one| Some(one.seen().started?.pid)).collect();
    let to = [(METADATA, 80), (gateway, METADATA_PORT)];
    let socket = pids.iter().find_map(|pid| {
        ["tcp", "tcp6"].iter().find_map(|table| inode(&format!("/proc/{pid}/net/{table}"), from, &to))
    })?;
    let socket = format!("socket:[{socket}]");
    let mut files = MAX_FILES;
    let mut holders = group.containers.iter().filter(|one| {
        let processes = start::processes(&cgroup(group, one)).unwrap_or_default();
        has(&processes, &socket, &mut files)
    });
    let first = holders.next()?;
    let is_its_own = holders.next().is_none();
    (is_its_own && files > 0).then(|| Arc::clone(first))
}

/// Whether one of the processes has the socket open.
fn has(processes: &BTreeSet<i32>, socket: &str, files: &mut usize) -> bool {
    processes.iter().any(|pid| {
        // One that ends meanwhile has nothing open.
        let open = fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten();
        open.take_while(|_| {
            *files = files.saturating_sub(1);
            *files > 0
        })
        .any(|file| fs::read_link(file.path()).is_ok_and(|target| target == Path::new(socket)))
    })
}

/// The number of the socket that goes from there to one of those.
fn inode(table: &str, from: (Ipv4Addr, u16), to: &[(Ipv4Addr, u16)]) -> Option<u64> {
    let mut text = String::new();
    fs::File::open(table).ok()?.take(MAX_TABLE).read_to_string(&mut text).ok()?;
    text.lines().skip(1).find_map(|line| {
        let mut fields = line.split_whitespace().skip(1);
        let (local, remote) = (end(fields.next()?)?, end(fields.next()?)?);
        // State, queues, timer, retransmissions, user, timeout; then the number.
        let number = fields.nth(6)?.parse().ok()?;
        (local == from && to.contains(&remote) && number != 0).then_some(number)
    })
}

/// `0100007F:0050`: words in the machine's order, the port in that of networks.
fn end(text: &str) -> Option<(Ipv4Addr, u16)> {
    let (address, port) = text.split_once(':')?;
    let port = u16::from_str_radix(port, 16).ok()?;
    let word = |at: usize| u32::from_str_radix(address.get(at..at + 8)?, 16).ok().map(u32::to_ne_bytes);
    let address = match address.len() {
        8 => Ipv4Addr::from(word(0)?),
        32 => {
            let words = [word(0)?, word(8)?, word(16)?, word(24)?];
            let bytes: Vec<u8> = words.into_iter().flatten().collect();
            Ipv6Addr::from(<[u8; 16]>::try_from(bytes).ok()?).to_ipv4_mapped()?
        }
        _ => return None,
    };
    Some((address, port))
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    /// As a little-endian machine prints it.
    const TABLE: &str = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1111 1 0000000000000000 100 0 0 10 0
   1: 0202B40A:C001 FEA9FEA9:0050 01 00000000:00000000 00:00000000 00000000     0        0 2222 1 0000000000000000 20 4 30 10 -1
   2: 0202B40A:C002 FEA9FEA9:0050 06 00000000:00000000 03:00000000 00000000     0        0 0 3 0000000000000000
   3: 0000000000000000FFFF00000202B40A:C003 0000000000000000FFFF0000FEA9FEA9:0050 01 00000000:00000000 00:00000000 00000000     0        0 3333 1 0 20 4 30 10 -1
";

    #[test]
    #[cfg(target_endian = "little")]
    fn sockets() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(TABLE.as_bytes()).unwrap();
        let path = file.path().to_str().unwrap();
        let own = Ipv4Addr::new(10, 180, 2, 2);
        let to = [(METADATA, 80)];
        for (port, wanted) in [(0xc001, Some(2222)), (0xc002, None), (0xc003, Some(3333)), (0x1f90, None)] {
            assert_eq!(inode(path, (own, port), &to), wanted, "{port:x}");
        }
        assert_eq!(inode(path, (own, 0xc001), &[(own, 80)]), None);
    }
}
