//! Jobs between two servers: either stops what the other does, and takes over what a killed one left.

use std::{
    thread,
    time::{Duration, Instant},
};

use boltseal_api::{
    client::Client,
    storage::{Job, NewScrub},
};
use boltseal_model::Digest;
use boltseal_wire::client::Method;

use super::Shared;
use crate::{
    binary::User,
    crash::{Random, Server},
    service::PATIENCE,
};

/// Bytes to read again, in as many blobs: ten seconds at the slowest rate.
const BLOB: u64 = 80 << 10;
const BLOBS: u64 = 8;
const SLOWLY: NewScrub = NewScrub { days: Some(0), rate: Some(64 << 10) };

#[test]
fn a_job_is_stopped_and_taken_over_by_another_server() {
    let Some(shared) = Shared::new() else { return };
    let (one, two) = (User::new(), User::new());
    let mut secret = None;
    let first = shared.serve(&one, &mut secret);
    for number in 0..BLOBS {
        push(&first, number);
    }
    let secret_of = secret.clone().unwrap();
    let api = |server: &Server| server.service.api(shared.authority(), &secret_of);

    // The first has it, since there is no other; the second tells it to stop.
    let at_first = api(&first);
    let asked: Job = at_first.post("/api/v1/scrubs", &SLOWLY).unwrap();
    wait(&at_first, &asked, "some of it is read", |job| job.state == "running" && job.done > 0);
    let second = shared.serve(&two, &mut secret);
    let at_second = api(&second);
    at_second.delete(&format!("/api/v1/jobs/{}", asked.id)).unwrap();
    let stopped = wait(&at_second, &asked, "it is over", Job::is_over);
    assert_eq!(stopped.state, "stopped", "{stopped:?}");
    assert!(stopped.done < BLOB * BLOBS, "it was not read to its end: {stopped:?}");
    second.service.stop();

    // The first has one again, and is killed.
    let asked: Job = at_first.post("/api/v1/scrubs", &SLOWLY).unwrap();
    let begun = wait(&at_first, &asked, "some of it is read", |job| job.state == "running" && job.done > 0);
    first.service.signal("KILL");
    drop(first);
    let second = shared.serve(&two, &mut secret);
    let at_second = api(&second);
    let done = wait(&at_second, &asked, "it is over", Job::is_over);
    assert_eq!(done.state, "done", "{done:?}");
    assert_eq!(done.started, begun.started, "it is the same job, not another one");
    assert!(done.message.as_deref().unwrap().contains("nothing is damaged"), "{done:?}");

    // And what nobody asks for is done by the schedule.
    let until = Instant::now() + 2 * PATIENCE;
    let by_schedule = || {
        let jobs: Vec<Job> = at_second.get("/api/v1/jobs").unwrap();
        jobs.into_iter().any(|job| job.by == "schedule" && job.kind == "collect" && job.state == "done")
    };
    while !by_schedule() {
        assert!(Instant::now() < until, "the schedule collects no garbage");
        thread::sleep(Duration::from_millis(500));
    }
    second.service.stop();
}

fn push(server: &Server, number: u64) {
    let mut random = Random(number + 1);
    let bytes: Vec<u8> = (0..BLOB / 8).flat_map(|_| random.below(u64::MAX).to_le_bytes()).collect();
    let path = format!("/v2/jobs/blobs/uploads/?digest={}", Digest::of(&bytes));
    assert_eq!(server.send(Method::Post, &path, "application/octet-stream", &bytes), Some(201));
}

#[track_caller]
fn wait(api: &Client, asked: &Job, what: &str, is_so: impl Fn(&Job) -> bool) -> Job {
    let until = Instant::now() + 2 * PATIENCE;
    loop {
        let job: Job = api.get(&format!("/api/v1/jobs/{}", asked.id)).unwrap();
        if is_so(&job) {
            return job;
        }
        assert!(
            Instant::now() < until && (!job.is_over() || what == "it is over"),
            "not so: {what}: {job:?}"
        );
        thread::sleep(Duration::from_millis(100));
    }
}
