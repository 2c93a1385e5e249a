//! The network of groups: what rules cost between two containers, and how long it takes to replace them.
//!
//! All of it happens in network namespaces of its own, as root. The row without rules needs `nft` to take them away; each other row
//! has that many openings, of which the last is the one that is used. Both ends are threads of this process, so a figure is two
//! switches between them and the way through the kernel.

use std::{
    collections::BTreeMap,
    io::{Read as _, Write as _},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    os::fd::{AsFd as _, BorrowedFd},
    process::Command,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail};
use boltseal_agent::network::{Group, Namespace, Network, Settings, Slot, enter};
use boltseal_runtime::network::{self, Egress, Line, Port, Protocol, To};

use crate::figures::Figures;

const RUNS: usize = 5;
const TRIPS: u32 = 10_000;
const CONNECTS: u32 = 1_000;
const MEGABYTES: usize = 500;
/// Where somebody talks, and where nobody does.
const TALKING: u16 = 80;
const SILENT: u16 = 81;

pub fn run(_: &[String]) -> Result<()> {
    let machine =
        boltseal_sys::network_namespace().context("this bench makes network namespaces, as root")?;
    within(machine.as_fd(), measure)
}

fn measure() -> Result<()> {
    let mut network = Network::open(Settings::default())?;
    let (from, to) = (Namespace::create()?, Namespace::create()?);
    network.attach("from", group(0, 1), &from)?;
    let address = network.attach("to", group(1, 0), &to)?.address;
    let place = |port| SocketAddr::from((address, port));
    within(to.as_fd(), || {
        serve(TcpListener::bind((Ipv4Addr::UNSPECIFIED, TALKING))?);
        hang_up(TcpListener::bind((Ipv4Addr::UNSPECIFIED, SILENT))?);
        Ok(())
    })?;
    for openings in [0, 1, 100, 10_000] {
        let name = if openings == 0 {
            let removed = Command::new("nft").args(["delete", "table", "inet", "boltseal"]).status();
            if !removed.is_ok_and(|status| status.success()) {
                println!("no nft: no row without rules");
                continue;
            }
            "no rules".to_owned()
        } else {
            let mut replaced = Figures::default();
            for _ in 0..RUNS {
                let changed = BTreeMap::from([("from".to_owned(), group(0, openings))]);
                let began = Instant::now();
                network.change(changed)?;
                replaced.push(began.elapsed().as_secs_f64() * 1e3);
            }
            replaced.print(&format!("{openings} openings: rules replaced"), "ms");
            format!("{openings} openings")
        };
        let (mut trip, mut connect, mut speed) = (Figures::default(), Figures::default(), Figures::default());
        within(from.as_fd(), || {
            for _ in 0..RUNS {
                trip.push(trips(place(TALKING))?);
                connect.push(connects(place(SILENT))?);
                speed.push(bytes(place(TALKING))?);
            }
            Ok(())
        })?;
        trip.print(&format!("{name}: there and back"), "us");
        connect.print(&format!("{name}: connect"), "us");
        speed.print(&format!("{name}: one way"), "Mbit/s");
    }
    network.remove()?;
    Ok(())
}

/// A group with so many openings, of which the last leads to the other.
fn group(slot: u16, openings: u32) -> Group {
    let line = Line::default();
    let port = |number| Port { protocol: Protocol::Tcp, number, published: None, line: line.clone() };
    let egress = |to, ports| Egress { protocol: Protocol::Tcp, to, ports, line: line.clone() };
    let filling = (1..openings).map(|place| {
        let address = Ipv4Addr::from_bits(Ipv4Addr::new(192, 0, 2, 0).to_bits() + place % 256);
        let port = 1_000 + (place / 256) as u16;
        egress(To::Addresses(address, address), (port, port))
    });
    let last = (openings > 0).then(|| egress(To::Group("to".to_owned()), (TALKING, SILENT)));
    let network = network::Network {
        ports: vec![port(TALKING), port(SILENT)],
        egress: filling.chain(last).collect(),
        dns: None,
        identity: None,
    };
    let name = if slot == 0 { "from" } else { "to" };
    Group { slot: Slot::new(slot), name: name.to_owned(), containers: Vec::new(), network }
}

/// Says back what is one byte long; swallows the rest.
fn serve(listener: TcpListener) {
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            thread::spawn(move || {
                let mut stream: TcpStream = stream;
                let mut bytes = vec![0; 1 << 20];
                let _ = stream.set_nodelay(true);
                while let Ok(length @ 1..) = stream.read(&mut bytes) {
                    if length == 1 && stream.write_all(&[1]).is_err() {
                        return;
                    }
                }
            });
        }
    });
}

/// Takes whoever connects, and lets go when they do: whoever closes first keeps a port waiting.
fn hang_up(listener: TcpListener) {
    thread::spawn(move || {
        listener.incoming().flatten().for_each(|mut stream: TcpStream| {
            let _ = stream.read(&mut [0]);
        });
    });
}

fn trips(place: SocketAddr) -> Result<f64> {
    let mut stream = TcpStream::connect(place)?;
    stream.set_nodelay(true)?;
    let began = Instant::now();
    for _ in 0..TRIPS {
        stream.write_all(&[1])?;
        stream.read_exact(&mut [0])?;
    }
    Ok(began.elapsed().as_secs_f64() * 1e6 / f64::from(TRIPS))
}

/// The middle one: on a busy machine, some wait for others' time.
fn connects(place: SocketAddr) -> Result<f64> {
    let mut all = Figures::default();
    for _ in 0..CONNECTS {
        let began = Instant::now();
        let stream = TcpStream::connect(place)?;
        all.push(began.elapsed().as_secs_f64() * 1e6);
        // Reset rather than closed. Of thousands that are closed, each keeps its port for a minute, and what is measured is
        // how the kernel looks for a free one.
        rustix::net::sockopt::set_socket_linger(&stream, Some(Duration::ZERO))?;
        drop(stream);
    }
    Ok(all.median())
}

fn bytes(place: SocketAddr) -> Result<f64> {
    let mut stream = TcpStream::connect(place)?;
    let chunk = vec![0; 1 << 20];
    let began = Instant::now();
    for _ in 0..MEGABYTES {
        stream.write_all(&chunk)?;
    }
    Ok((MEGABYTES << 23) as f64 / 1e6 / began.elapsed().as_secs_f64())
}

fn within<T: Send>(namespace: BorrowedFd<'_>, work: impl FnOnce() -> Result<T> + Send) -> Result<T> {
    thread::scope(|scope| {
        let there = scope.spawn(|| {
            enter(namespace)?;
            work()
        });
        match there.join() {
            Ok(done) => done,
            Err(_) => bail!("the thread ended"),
        }
    })
}
