//! `boltseal webhook status`: whether a cluster asks, and whom.

use std::fmt::Write as _;

use serde::Serialize;
use serde_json::Value;

use super::installed::{self, Installed, Kind};
use crate::{
    cluster::Access,
    console::Console,
    exit::{Exit, Failure},
    output::{
        Written,
        paint::{Paint, clean},
    },
};

/// Where to look.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Exit codes: 0 the cluster asks before anything runs; 1 it does not; 2 usage, or a configuration is not of this \
program; 3 the API server cannot be asked"
)]
pub struct Args {
    #[command(flatten)]
    cluster: Access,
    #[command(flatten)]
    written: Written,
}

/// What a cluster has.
#[derive(Debug, Serialize)]
struct Status {
    cluster: String,
    /// Whether something is refused because of a verdict.
    asks: bool,
    configurations: Vec<One>,
}

#[derive(Debug, Serialize)]
struct One {
    kind: &'static str,
    /// `on`, `off` or `missing`
    state: &'static str,
    server: Option<String>,
    failure_policy: Option<String>,
    timeout_seconds: Option<u64>,
    /// Namespaces that are not asked about.
    except: Vec<String>,
    /// Since when, by whom and why it is off.
    off: Option<[String; 3]>,
}

/// Looks.
pub fn run(args: &Args, console: &Console) -> Result<Exit, Failure> {
    let cluster = args.cluster.open()?;
    let mut configurations = Vec::new();
    for kind in Kind::ALL {
        configurations.push(one(kind, installed::find(&cluster, kind)?.as_ref()));
    }
    let asks = configurations.iter().any(|one| one.kind == Kind::Validating.word() && one.state == "on");
    let status = Status { cluster: cluster.name.clone(), asks, configurations };
    args.written.show(&status, console, people)?;
    Ok(if asks { Exit::Pass } else { Exit::Denied })
}

fn one(kind: Kind, found: Option<&Installed>) -> One {
    let webhook = found.and_then(Installed::webhook);
    let text = |pointer: &str| webhook?.pointer(pointer)?.as_str().map(str::to_owned);
    let service = || {
        let (namespace, name) =
            (text("/clientConfig/service/namespace")?, text("/clientConfig/service/name")?);
        let port = webhook?.pointer("/clientConfig/service/port").and_then(Value::as_u64).unwrap_or(443);
        Some(format!("service {namespace}/{name}:{port}"))
    };
    let except = webhook.and_then(|one| one.pointer("/namespaceSelector/matchExpressions/0/values"));
    let except = except.and_then(Value::as_array).into_iter().flatten();
    One {
        kind: kind.word(),
        state: match (found, webhook) {
            (None, _) => "missing",
            (Some(_), None) => "off",
            (Some(_), Some(_)) => "on",
        },
        server: text("/clientConfig/url").or_else(service),
        failure_policy: text("/failurePolicy"),
        timeout_seconds: webhook.and_then(|one| one.get("timeoutSeconds")).and_then(Value::as_u64),
        except: except.filter_map(Value::as_str).map(str::to_owned).collect(),
        off: found.and_then(Installed::off),
    }
}

fn people(status: &Status, paint: Paint) -> String {
    let mut out = String::new();
    let word = if status.asks { "asks before anything runs" } else { "does not ask" };
    let _ = writeln!(out, "{} {word}", paint.bold(&clean(&status.cluster)));
    for one in &status.configurations {
        let _ = writeln!(out, "  {}: {}", one.kind, one.state);
        if let Some(server) = &one.server {
            let failure = one.failure_policy.as_deref().unwrap_or("Fail");
            let seconds = one.timeout_seconds.unwrap_or(10);
            let _ = writeln!(out, "    asks {} for {seconds} s, then: {}", clean(server), clean(failure));
            let names: Vec<String> = one.except.iter().map(|name| clean(name)).collect();
            let _ = writeln!(out, "    never about {}", names.join(", "));
        }
        if let Some([since, by, reason]) = &one.off {
            let _ = writeln!(out, "    since {} by {}: {}", clean(since), clean(by), clean(reason));
        }
    }
    out
}
