//! Ends of processes that are no children: one thread that waits for all of them.
//!
//! The kernel says by a descriptor that a process ended (`pidfd_open(2)`), and a thread that waits for many descriptors at once
//! costs as much for a thousand containers as for one.

use std::{
    collections::HashMap,
    io,
    os::fd::OwnedFd,
    sync::{Arc, Mutex},
};

use rustix::{
    buffer::spare_capacity,
    event::{
        EventfdFlags,
        epoll::{self, CreateFlags, EventData, EventFlags},
    },
};
use tokio::sync::oneshot;

/// Events that are taken at once.
const AT_ONCE: usize = 64;
/// The number of the descriptor that ends the thread.
const STOP: u64 = 0;

/// Waits.
#[derive(Debug)]
pub struct Ends {
    shared: Arc<Shared>,
    stop: OwnedFd,
}

#[derive(Debug)]
struct Shared {
    epoll: OwnedFd,
    waiting: Mutex<Waiting>,
}

#[derive(Debug, Default)]
struct Waiting {
    last: u64,
    by_number: HashMap<u64, (OwnedFd, oneshot::Sender<()>)>,
}

impl Ends {
    /// Starts the thread.
    pub fn new() -> io::Result<Self> {
        let epoll = epoll::create(CreateFlags::CLOEXEC)?;
        let stop = rustix::event::eventfd(0, EventfdFlags::CLOEXEC)?;
        epoll::add(&epoll, &stop, EventData::new_u64(STOP), EventFlags::IN)?;
        let shared = Arc::new(Shared { epoll, waiting: Mutex::default() });
        let of_thread = Arc::clone(&shared);
        std::thread::Builder::new()
            .name("ends".to_owned())
            .stack_size(64 << 10)
            .spawn(move || wait(&of_thread))?;
        Ok(Self { shared, stop })
    }

    /// Told when the process of this descriptor ends.
    pub fn of(&self, process: OwnedFd) -> io::Result<oneshot::Receiver<()>> {
        let (to, from) = oneshot::channel();
        let mut waiting = self.shared.waiting.lock().map_err(|_| io::Error::other("the lock of ends"))?;
        waiting.last += 1;
        let number = waiting.last;
        // The thread takes the lock before it looks for whom this is about, so it cannot come too early.
        epoll::add(&self.shared.epoll, &process, EventData::new_u64(number), EventFlags::IN)?;
        waiting.by_number.insert(number, (process, to));
        Ok(from)
    }
}

impl Drop for Ends {
    fn drop(&mut self) {
        let _ = rustix::io::write(&self.stop, &1_u64.to_ne_bytes());
    }
}

fn wait(shared: &Shared) {
    let mut events = Vec::with_capacity(AT_ONCE);
    loop {
        match epoll::wait(&shared.epoll, spare_capacity(&mut events), None) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(_) => return,
        }
        for event in events.drain(..) {
            let number = event.data.u64();
            if number == STOP {
                return;
            }
            let Ok(mut waiting) = shared.waiting.lock() else { return };
            if let Some((process, to)) = waiting.by_number.remove(&number) {
                let _ = epoll::delete(&shared.epoll, &process);
                let _ = to.send(());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use rustix::process::{Pid, PidfdFlags, pidfd_open};

    use super::*;

    #[tokio::test]
    async fn each_end_is_told() {
        let ends = Ends::new().unwrap();
        let mut children = Vec::new();
        for _ in 0..200 {
            let child = Command::new("cat").stdin(std::process::Stdio::piped()).spawn().unwrap();
            let pid = Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
            children.push((child, ends.of(pidfd_open(pid, PidfdFlags::empty()).unwrap()).unwrap()));
        }
        for (child, told) in &mut children {
            assert!(told.try_recv().is_err(), "it runs");
            drop(child.stdin.take());
        }
        for (mut child, told) in children {
            told.await.unwrap();
            child.wait().unwrap();
        }
    }
}
