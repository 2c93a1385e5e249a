//! The audit log as the server keeps it: 64 clients that each wait for their record to be durable, while the recorder
//! seals what they write; and how long until a signed checkpoint covers it.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};
use boltseal_audit::{
    Record,
    record::{Activity, Actor, Outcome, Source, Subject, Via, Why},
};
use boltseal_model::Timestamp;
use boltseal_server::{Recorder, recorder::Config};
use boltseal_store::Facts;

use crate::figures::Figures;

/// Who write at the same time, each waiting for an answer.
const CLIENTS: usize = 64;
/// How long a run lasts.
const RUN: Duration = Duration::from_secs(5);
/// Runs.
const RUNS: usize = 3;
/// Between two looks at how far the checkpoint is behind.
const LOOK: Duration = Duration::from_millis(50);

pub fn run(_: &[String]) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let (mut rate, mut latency, mut late, mut sealed) =
        (Figures::default(), Figures::default(), Figures::default(), Figures::default());
    for _ in 0..RUNS {
        let mut figures = runtime.block_on(measure())?;
        rate.push(figures.rate);
        figures.waits.sort_by(f64::total_cmp);
        latency.push(at(&figures.waits, 50));
        late.push(at(&figures.waits, 99));
        figures.behind.into_iter().for_each(|seconds| sealed.push(seconds * 1e3));
    }
    rate.print(&format!("records, durable, {CLIENTS} clients (bar 20,000)"), "/s");
    latency.print("… median wait of a client", "ms");
    late.print("… 99 of 100 wait at most", "ms");
    sealed.print("… until a checkpoint covers it (bar 1,000)", "ms");
    Ok(())
}

fn at(sorted: &[f64], percent: usize) -> f64 {
    sorted.get(sorted.len() * percent / 100).copied().unwrap_or_default()
}

struct Run {
    rate: f64,
    /// Milliseconds.
    waits: Vec<f64>,
    /// Seconds.
    behind: Vec<f64>,
}

async fn measure() -> Result<Run> {
    let folder = tempfile::tempdir()?;
    let facts = Facts::open(folder.path()).await?;
    let config = Config {
        keys: folder.path().join("keys"),
        data: folder.path().to_owned(),
        origin: "bench.example/audit".to_owned(),
        anchors: folder.path().join("anchors"),
        accept_restored: None,
    };
    let recorder = Recorder::open(config, &facts).await?;
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let sealing = tokio::spawn({
        let recorder = recorder.clone();
        async move { recorder.run(async { drop(stopped.await) }).await }
    });
    let over = Arc::new(AtomicBool::new(false));
    let waits = Arc::new(Mutex::new(Vec::new()));
    let began = Instant::now();
    let clients: Vec<_> = (0..CLIENTS)
        .map(|client| tokio::spawn(write(client, facts.clone(), over.clone(), waits.clone())))
        .collect();
    let mut behind = Vec::new();
    let (entered, mut state) = (facts.entered(), recorder.state());
    while began.elapsed() < RUN {
        tokio::time::sleep(LOOK).await;
        let (number, since) = (*entered.borrow(), Instant::now());
        state.wait_for(|state| state.checkpoint.checkpoint().size >= number).await?;
        behind.push(since.elapsed().as_secs_f64());
    }
    over.store(true, Ordering::Relaxed);
    for client in clients {
        client.await??;
    }
    let (seconds, written) = (began.elapsed().as_secs_f64(), *facts.entered().borrow());
    drop(stop);
    sealing.await?;
    let size = recorder.state().borrow().checkpoint.checkpoint().size;
    ensure!(size == written, "{written} written, {size} sealed");
    recorder.reader()?.checkpoint().context("the checkpoint")?;
    let waits = std::mem::take(&mut *waits.lock().unwrap_or_else(PoisonError::into_inner));
    Ok(Run { rate: written as f64 / seconds, waits, behind })
}

/// One client: a pull recorded, again and again.
async fn write(
    client: usize,
    facts: Facts,
    over: Arc<AtomicBool>,
    waits: Arc<Mutex<Vec<f64>>>,
) -> Result<()> {
    let mut mine = Vec::new();
    while !over.load(Ordering::Relaxed) {
        let began = Instant::now();
        facts.append(vec![pull(client).entry()]).await?;
        mine.push(began.elapsed().as_secs_f64() * 1e3);
    }
    waits.lock().unwrap_or_else(PoisonError::into_inner).extend(mine);
    Ok(())
}

fn pull(client: usize) -> Record {
    let action = "Microsoft.ContainerRegistry/registries/repositories/content/read";
    Record::new(Timestamp::now(), Activity::Read, action)
        .actor(Actor::user(format!("8f0c-{client}"), "ci").via(Via::Token))
        .source(Source::https([192, 0, 2, 7], 51_820).agent("containerd/2.1"))
        .subject(Subject::new("/registries/main/repositories/team/app").name("latest"))
        .outcome(Outcome::Success)
        .why(Why::granted("6a2c9c4e-3c67-4d3c-8f0b-1f2d1f1c0a02", "AcrPull", "/registries/main"))
}
