//! The registry as clients feel it: start, manifest GET, push, memory; with authorisation, verdicts and the audit log on.
//!
//! Load comes from this process over loopback, a bounded number of requests on 64 kept-alive connections. CPU is what
//! the kernel charged the server process. Debian's `docker-registry` runs the same requests when it is on PATH, without
//! authorisation, which flatters it.

mod load;
mod subject;

use anyhow::Result;

use crate::figures::{Figures, print_ratio};
use subject::Subject;

const STARTS: usize = 15;
const PUSHES: usize = 5;
const REQUESTS: u64 = 60_000;

pub fn run(_: &[String]) -> Result<()> {
    let ours = series(&|| Subject::boltseal())?;
    if let Some(program) = crate::process::on_path("docker-registry") {
        let theirs = series(&|| Subject::docker_registry(&program))?;
        print_ratio("docker-registry start / ours", &theirs.start, &ours.start);
        print_ratio("docker-registry CPU a manifest / ours", &theirs.manifest_cpu, &ours.manifest_cpu);
        print_ratio("docker-registry push CPU, 170 MB / ours", &theirs.push_big_cpu, &ours.push_big_cpu);
        print_ratio("docker-registry push wall, 60 layers / ours", &theirs.push_many, &ours.push_many);
    } else {
        println!("skipped: no docker-registry on PATH to compare with");
    }
    Ok(())
}

#[derive(Default)]
struct Series {
    start: Figures,
    manifest_cpu: Figures,
    push_big_cpu: Figures,
    push_many: Figures,
}

fn series(make: &dyn Fn() -> Result<Subject>) -> Result<Series> {
    let mut all = Series::default();
    for _ in 0..STARTS {
        all.start.push(make()?.started);
    }
    let subject = make()?;
    let name = subject.name;
    all.start.print(&format!("{name}: start to first answer"), "ms");
    println!("{:44} {:>10.2} MiB", format!("{name}: memory at rest"), subject.memory("VmRSS")?);

    let (mut wall, mut many_cpu) = (Figures::default(), Figures::default());
    for round in 0..PUSHES {
        let big = load::random_layer(round, 170_000_000);
        let (cpu, time) = subject.costs(|| load::push(&subject, &format!("big/{round}"), &[big]))?;
        all.push_big_cpu.push(cpu);
        wall.push(time);
        let small: Vec<_> = (0..60).map(|n| load::random_layer(1000 * (round + 1) + n, 21_000)).collect();
        let (cpu, time) = subject.costs(|| load::push(&subject, &format!("many/{round}"), &small))?;
        many_cpu.push(cpu);
        all.push_many.push(time);
    }
    all.push_big_cpu.print(&format!("{name}: push of 170 MB, server CPU"), "ms");
    wall.print(&format!("{name}: push of 170 MB, wall"), "ms");
    many_cpu.print(&format!("{name}: push of 60 layers, server CPU"), "ms");
    all.push_many.print(&format!("{name}: push of 60 layers, wall"), "ms");

    subject.wait_until_served("many/0")?;
    let mut rate = Figures::default();
    for _ in 0..3 {
        let (cpu, time) = subject.costs(|| load::manifests(&subject, "many/0", REQUESTS))?;
        all.manifest_cpu.push(cpu * 1e3 / REQUESTS as f64);
        rate.push(REQUESTS as f64 / (time / 1e3));
    }
    all.manifest_cpu.print(&format!("{name}: manifest GET, server CPU"), "us");
    rate.print(&format!("{name}: manifest GET"), "/s");
    println!("{:44} {:>10.2} MiB", format!("{name}: peak memory"), subject.memory("VmHWM")?);
    Ok(all)
}
