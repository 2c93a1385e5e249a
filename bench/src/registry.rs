//! The registry beside Debian's `docker-registry`, in the same session and in turns.
//!
//! Load comes from this process over loopback. CPU is what the kernel charged the server process for a run, with the work
//! it still did after the last answer; ours signs callers in, judges every image and records everything meanwhile, the
//! peer does none of it. What pushes does so to an empty data folder every time.

pub mod admission;
mod connection;
mod content;
pub mod freshness;
mod large;
mod lists;
mod subject;
mod sync;
mod table;
mod transfers;
mod workloads;

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use crate::figures::Figures;
use connection::Connection;
use content::{Image, Layers};
use subject::{Programs, Subject, Which};
use table::{Sample, Table};
use workloads::Workload;

const STARTS: usize = 15;
/// Of those, how many are left alone for so long before memory at rest is read.
const RESTED: usize = 3;
const REST: Duration = Duration::from_secs(5);
/// After this long no run begins another request, however many are left: the peer would need hours for some lists.
const BUDGET: Duration = Duration::from_secs(20);

/// What is asked for on the command line.
pub struct Options {
    quick: bool,
    only: Option<String>,
    rounds: usize,
    binary: Option<String>,
}

impl Options {
    fn parse(arguments: &[String]) -> Result<Self> {
        let mut options = Self { quick: false, only: None, rounds: 5, binary: None };
        let mut words = arguments.iter();
        while let Some(word) = words.next() {
            match word.as_str() {
                "--quick" => (options.quick, options.rounds) = (true, 1),
                "--only" => options.only = Some(words.next().context("--only NAME")?.clone()),
                "--rounds" => options.rounds = words.next().context("--rounds NUMBER")?.parse()?,
                "--binary" => options.binary = Some(words.next().context("--binary FILE")?.clone()),
                other => {
                    bail!("`{other}`: registry [--quick] [--only NAME] [--rounds NUMBER] [--binary FILE]")
                }
            }
        }
        Ok(options)
    }

    fn wants(&self, name: &str) -> bool {
        self.only.as_ref().is_none_or(|only| name.contains(only.as_str()))
    }
}

pub fn run(arguments: &[String]) -> Result<()> {
    let options = Options::parse(arguments)?;
    let programs = Programs::find(options.binary.as_deref())?;
    programs.print();
    table::print_head();
    if options.wants("start") {
        starts(&programs, &options)?;
    }
    let mut table = Table::default();
    for workload in workloads::ALL.iter().filter(|workload| options.wants(workload.name)) {
        let [ours, peer] = runs(&programs, &options, workload).context(workload.name)?;
        table.add(workload.name, &ours, &peer, workload.bars);
    }
    sync::run(&programs, &options, &mut table)?;
    lists::run(&programs, &options, &mut table)?;
    large::run(&programs, &options)?;
    table.print_summary();
    Ok(())
}

/// From spawn to the first answer, and what lies in memory then and when nobody asked for a while; on an empty folder,
/// where ours makes its keys and certificates, and again on the same one.
fn starts(programs: &Programs, options: &Options) -> Result<()> {
    let (mut first, mut again): ([Figures; 2], [Figures; 2]) = Default::default();
    let (mut started, mut rest): ([Figures; 2], [Figures; 2]) = Default::default();
    for start in 0..if options.quick { 3 } else { STARTS } {
        for which in programs.all() {
            let subject = programs.start(which)?;
            first[which as usize].push(subject.started);
            let subject = subject.again()?;
            again[which as usize].push(subject.started);
            subject.rest()?;
            started[which as usize].push(subject.memory("VmRSS")?);
            if start < RESTED {
                std::thread::sleep(REST);
                rest[which as usize].push(subject.memory("VmRSS")?);
            }
        }
    }
    println!("\nstart  ({} starts)", first[0].count());
    table::line("the first answers after, ms", false, &first[0], &first[1], None);
    table::line("every other answers after, ms", false, &again[0], &again[1], Some(50.0));
    table::line("memory after the start, MiB", false, &started[0], &started[1], None);
    table::line("memory at rest, MiB", false, &rest[0], &rest[1], Some(25.0));
    Ok(())
}

/// All runs of a workload, ours and the peer's in turns.
fn runs(programs: &Programs, options: &Options, workload: &Workload) -> Result<[Vec<Sample>; 2]> {
    let requests = workload.requests[usize::from(options.quick)];
    let images = workload.images(requests)?;
    let mut samples: [Vec<Sample>; 2] = Default::default();
    if workload.is_fresh() {
        for round in 0..options.rounds {
            for which in in_turns(programs, round) {
                let subject = programs.start(which)?;
                warm_up(&subject)?;
                samples[which as usize].push(once(workload, &subject, &images, requests)?);
            }
        }
        return Ok(samples);
    }
    let subjects: Vec<_> =
        programs.all().into_iter().map(|which| programs.start(which)).collect::<Result<_>>()?;
    for subject in &subjects {
        workload.fill(subject, &images)?;
        let step = workload.step(subject, &images)?;
        transfers::drive(subject, workload.clients, requests.div_ceil(10), Some(BUDGET), &step)?;
    }
    for round in 0..options.rounds {
        for which in in_turns(programs, round) {
            let subject = &subjects[which as usize];
            let step = workload.step(subject, &images)?;
            samples[which as usize].push(measure(subject, workload.clients, requests, &step)?);
        }
    }
    Ok(samples)
}

fn once(workload: &Workload, subject: &Subject, images: &[Image], requests: usize) -> Result<Sample> {
    workload.fill(subject, images)?;
    let step = workload.step(subject, images)?;
    measure(subject, workload.clients, requests, &step)
}

/// Who goes first changes.
fn in_turns(programs: &Programs, round: usize) -> Vec<Which> {
    let mut all = programs.all();
    if round % 2 == 1 {
        all.reverse();
    }
    all
}

/// One small push, so that the first measured one finds everything open.
fn warm_up(subject: &Subject) -> Result<()> {
    let image = Image::of(vec![Layers::of(1_000).number(0)])?;
    transfers::push(&mut Connection::new(subject)?, "warm/up", "latest", &image, transfers::How::Stream)
}

/// One run: what the server used for it, and how long clients waited.
fn measure(
    subject: &Subject,
    clients: usize,
    requests: usize,
    step: &(dyn Fn(&mut Connection<'_>, usize) -> Result<()> + Sync),
) -> Result<Sample> {
    subject.rest()?;
    subject.forget_peak()?;
    let (before, began) = (subject.cpu()?, Instant::now());
    let waits = transfers::drive(subject, clients, requests, Some(BUDGET), step)?;
    let (wall, answered) = (began.elapsed().as_secs_f64() * 1e3, subject.cpu()?);
    subject.rest()?;
    let at = |percent: usize| waits.get(waits.len() * percent / 100).copied().unwrap_or_default();
    Ok(Sample {
        requests: waits.len(),
        cpu: subject.cpu()? - before,
        cpu_answered: answered - before,
        wall,
        p50: at(50),
        p99: at(99),
        peak: subject.memory("VmHWM")?,
    })
}
