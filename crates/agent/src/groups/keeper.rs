//! Keeps one group as it was asked for.
//!
//! Containers that initialise run one after the other, each to a good end; then all others run beside each other. One that
//! ends is started again as the group says, later each time while it goes on ending: a second, two, up to five minutes; after
//! ten minutes of running it counts as new.

use std::{os::fd::OwnedFd, sync::Arc, time::Duration};

use boltseal_api::groups as api;
use boltseal_model::Timestamp;
use boltseal_runtime::start::{self, Started, status::Status};
use rustix::process::{Pid, PidfdFlags, Signal};
use tokio::{sync::watch, time::Instant};

use super::{
    Error,
    container::{self, Contained, Found},
    engine::Inner,
    group::{Group, Told},
    probe,
};

/// How long the first wait is.
const FIRST_WAIT: Duration = Duration::from_secs(1);
/// And the longest.
const LAST_WAIT: Duration = Duration::from_mins(5);
/// After running this long it counts as new.
const WELL: Duration = Duration::from_mins(10);
/// Seconds to end in where nobody says, as in Kubernetes.
pub const GRACE: u32 = 30;

/// Keeps it until it is told to stop, or there is nothing left to keep.
pub async fn keep(inner: Arc<Inner>, group: Arc<Group>, found: Vec<Found>) {
    let mut found = found.into_iter();
    let each: Vec<_> =
        group.containers.iter().map(|one| (one.clone(), found.next().unwrap_or(Found::Never))).collect();
    let (first, rest): (Vec<_>, Vec<_>) = each.into_iter().partition(|(one, _)| one.plan.initialises);
    // Where others were started already, all that initialise had ended well.
    let begun = rest.iter().any(|(_, found)| !matches!(found, Found::Never));
    let mut well = true;
    for (one, found) in first {
        if begun {
            if let Found::Ended(status, _) = found {
                one.ended(ended(&status, "ended"));
            }
            continue;
        }
        well = one_container(&inner, &group, &one, found).await;
        if !well {
            break;
        }
    }
    if well {
        let tasks: Vec<_> = rest
            .into_iter()
            .map(|(one, found)| {
                let (inner, group) = (Arc::clone(&inner), Arc::clone(&group));
                tokio::spawn(async move { one_container(&inner, &group, &one, found).await })
            })
            .collect();
        for task in tasks {
            let _ = task.await;
        }
    }
    if *group.told.borrow() != Told::LetGo {
        inner.let_go_of_network(&group).await;
    }
    group.kept_running.send_replace(false);
}

/// Keeps one container; gives whether it ended well, by itself.
async fn one_container(
    inner: &Arc<Inner>,
    group: &Arc<Group>,
    one: &Arc<Contained>,
    mut found: Found,
) -> bool {
    let mut told = group.told.subscribe();
    let mut wait = FIRST_WAIT;
    loop {
        let begun = Instant::now();
        let mut is_told = false;
        let status = match std::mem::replace(&mut found, Found::Never) {
            Found::Ended(status, told) => {
                is_told = told;
                Some((status, "ended"))
            }
            Found::Runs(started) => {
                one.runs(started, false);
                watch(inner, group, one, started, &mut told).await
            }
            Found::Never => {
                if *told.borrow() != Told::Run {
                    return false;
                }
                match started(inner, group, one).await {
                    Ok(started) => watch(inner, group, one, started, &mut told).await,
                    Err(error) => {
                        let next = error.next().map(|next| format!(": {next}")).unwrap_or_default();
                        one.waits(format!("it could not be started: {error}{next}"));
                        // Where there is no room for that either, it is shown all the same.
                        let _ =
                            inner.tell("container.failed", group, one, &[("why", error.to_string())]).await;
                        if !group.restart.again(1) {
                            one.ended(api::Ended { code: 125, why: error.to_string(), at: Timestamp::now() });
                            return false;
                        }
                        if !pause(&mut told, &mut wait, begun).await {
                            one.ended(api::Ended { code: 125, why: error.to_string(), at: Timestamp::now() });
                            return false;
                        }
                        continue;
                    }
                }
            }
        };
        let Some((status, why)) = status else { return false };
        let (status, why) = cleaned(inner, group, one, status, why).await;
        let ended = ended(&status, &why);
        let code = ended.code;
        if !is_told {
            let details = [("code", code.to_string()), ("why", ended.why.clone())];
            if inner.tell("container.end", group, one, &details).await.is_ok() {
                container::told(group, one);
            }
        }
        one.ended(ended);
        let stops = *told.borrow() != Told::Run;
        if stops || (one.plan.initialises && code == 0) || !group.restart.again(code) {
            return code == 0 && !stops;
        }
        if !pause(&mut told, &mut wait, begun).await {
            return false;
        }
    }
}

/// Waits before the next start; false where it is told to stop meanwhile.
async fn pause(told: &mut watch::Receiver<Told>, wait: &mut Duration, begun: Instant) -> bool {
    if begun.elapsed() >= WELL {
        *wait = FIRST_WAIT;
    }
    let now = *wait;
    *wait = wait.saturating_mul(2).min(LAST_WAIT);
    // It times out where nobody says anything.
    tokio::time::timeout(now, told.wait_for(|told| *told != Told::Run)).await.is_err()
}

async fn started(inner: &Arc<Inner>, group: &Arc<Group>, one: &Arc<Contained>) -> Result<Started, Error> {
    let _turn = inner.starts.acquire().await.map_err(|_| Error::Stopping)?;
    one.waits("it is being started");
    inner
        .tell(
            "container.start",
            group,
            one,
            &[
                ("image", one.plan.image.clone()),
                ("digest", one.plan.digest.as_ref().map(ToString::to_string).unwrap_or_default()),
                ("verdict", one.ruling.why.clone()),
                ("plan", group.plan_digest.to_string()),
            ],
        )
        .await?;
    let (of_inner, of_group, of_it) = (Arc::clone(inner), Arc::clone(group), Arc::clone(one));
    let made = tokio::task::spawn_blocking(move || {
        let by = &of_inner.settings;
        container::start(&by.program, by.runtime.as_deref(), &of_group, &of_it)
    });
    let started = made.await.map_err(|_| Error::Stopping)??;
    one.runs(started, true);
    Ok(started)
}

/// Waits for its end; `None` where it is let go of. Tells it to stop where the group is told so, or its probe fails.
async fn watch(
    inner: &Arc<Inner>,
    group: &Arc<Group>,
    one: &Arc<Contained>,
    started: Started,
    told: &mut watch::Receiver<Told>,
) -> Option<(Status, &'static str)> {
    let gone = Some((Status::killed(), "ended"));
    let Some(pid) = Pid::from_raw(started.pid) else { return gone };
    let Ok(first) = rustix::process::pidfd_open(pid, PidfdFlags::empty()) else { return gone };
    if start::since(started.pid) != Some(started.since) {
        return gone;
    }
    let Ok(mut end) = first.try_clone().and_then(|first| inner.ends.of(first)) else { return gone };
    let probing = probe::both(inner, group, one, started);
    tokio::pin!(probing);
    let mut why = "ended";
    let mut kill_at: Option<Instant> = None;
    let mut told_once = false;
    loop {
        let killing = async {
            match kill_at {
                Some(at) => tokio::time::sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = &mut end => return Some((Status::killed(), why)),
            () = &mut probing, if kill_at.is_none() => {
                why = "liveness probe failed";
                kill_at = Some(stop(&first, GRACE));
            }
            () = killing => {
                let _ = rustix::process::pidfd_send_signal(&first, Signal::KILL);
                kill_at = None;
            }
            now = told.wait_for(|told| *told != Told::Run), if !told_once => {
                told_once = true;
                match now.map(|told| *told) {
                    Ok(Told::Stop(grace)) => {
                        why = "stopped";
                        kill_at = Some(stop(&first, grace));
                    }
                    _ => return None,
                }
            }
        }
    }
}

fn stop(first: &OwnedFd, grace: u32) -> Instant {
    let _ = rustix::process::pidfd_send_signal(first, Signal::TERM);
    Instant::now() + Duration::from_secs(u64::from(grace))
}

/// Removes what is left of it, and finds out how it ended.
async fn cleaned(
    inner: &Arc<Inner>,
    group: &Arc<Group>,
    one: &Arc<Contained>,
    status: Status,
    why: &'static str,
) -> (Status, String) {
    let (program, of_group, of_it) = (inner.settings.program.clone(), Arc::clone(group), Arc::clone(one));
    let done = tokio::task::spawn_blocking(move || {
        let memory = start::out_of_memory(&container::cgroup(&of_group, &of_it));
        (memory, container::clean(&program, &of_group, &of_it))
    });
    match done.await {
        Ok((memory, Ok(status))) => {
            let code = status.code();
            let why = if memory && code == 137 { "out of memory" } else { why };
            (status, why.to_owned())
        }
        Ok((_, Err(error))) => (status, format!("{why}; what is left of it could not be removed: {error}")),
        Err(_) => (status, why.to_owned()),
    }
}

fn ended(status: &Status, why: &str) -> api::Ended {
    api::Ended { code: status.code(), why: why.to_owned(), at: status.at.unwrap_or_else(Timestamp::now) }
}
