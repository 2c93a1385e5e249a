//! What makes an API server ask this server: narrow configurations, so that a cluster can always be brought back.
//!
//! Asked about are pods, ephemeral containers and what makes pods, when they are made or changed; not deletions, not status,
//! not scaling, not kube-system, and not the namespace that the server itself is in: its own pods must start while nobody
//! answers.

use std::{fmt::Write as _, fs, path::PathBuf};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use clap::ValueEnum;

use crate::exit::Failure;

/// Never asked about.
const ALWAYS: &str = "kube-system";
/// What API servers wait at least and at most, in seconds. Under two there is no time for an answer that says why.
const WAITS: std::ops::RangeInclusive<i64> = 2..=30;
/// A certificate authority is some kilobytes.
const MAX_CA: u64 = 1 << 20;

/// What both configurations are called, and how those of this program are known.
pub const NAME: &str = "boltseal";
/// The label, and its value, of what this program made.
pub const MADE_BY: (&str, &str) = ("app.kubernetes.io/managed-by", "boltseal");

/// Where the server is, and what it is asked about.
#[derive(Debug, clap::Args)]
pub struct Wanted {
    /// The service in the cluster, as NAMESPACE/NAME or NAMESPACE/NAME:PORT; its namespace is never asked about
    #[arg(long, value_name = "SERVICE", required_unless_present = "url", value_parser = service)]
    pub service: Option<Service>,
    /// The address of a server outside the cluster
    #[arg(long, value_name = "URL", conflicts_with = "service", value_parser = address)]
    pub url: Option<String>,
    /// A PEM file with the authority of the server's certificate: `tls/ca.pem` in its data folder
    #[arg(long, value_name = "FILE")]
    ca: PathBuf,
    /// Another namespace that is never asked about; may be given again
    #[arg(long, value_name = "NAMESPACE", value_parser = name)]
    except: Vec<String>,
    /// What an API server does when nobody answers
    #[arg(long, value_name = "WHAT", default_value = "fail")]
    pub failure_policy: OnFailure,
    /// Seconds that an API server waits
    #[arg(long, value_name = "SECONDS", default_value = "5", value_parser = clap::value_parser!(i64).range(WAITS))]
    timeout: i64,
    /// Leave tags as they are instead of putting digests behind them
    #[arg(long)]
    no_mutate: bool,
}

/// What an API server does when nobody answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum OnFailure {
    /// Nothing that is asked about can be made or changed until somebody answers
    Fail,
    /// Everything can, unjudged
    Ignore,
}

/// A service of the cluster.
#[derive(Clone, Debug)]
pub struct Service {
    pub namespace: String,
    pub name: String,
    pub port: u16,
}

impl Wanted {
    /// The configurations as YAML: that which judges, and that which puts digests behind tags.
    pub fn documents(&self) -> Result<Vec<String>, Failure> {
        let authority = STANDARD.encode(self.authority()?);
        let mut out = vec![self.configuration(&authority, "Validating")];
        if !self.no_mutate {
            out.push(self.configuration(&authority, "Mutating"));
        }
        Ok(out)
    }

    /// The authority of the server's certificate, in PEM.
    pub fn authority(&self) -> Result<String, Failure> {
        let name = self.ca.display();
        let unreadable = |wrong| Failure::usage(format_args!("cannot read {name}: {wrong}"));
        let size = fs::metadata(&self.ca).map_err(unreadable)?.len();
        let text =
            if size > MAX_CA { String::new() } else { fs::read_to_string(&self.ca).map_err(unreadable)? };
        if !text.contains("-----BEGIN CERTIFICATE-----") || text.contains("PRIVATE KEY") {
            return Err(Failure::usage(format_args!("{name} is no PEM file of certificates alone"))
                .next("name the authority's certificate, such as tls/ca.pem in the server's data folder"));
        }
        Ok(text)
    }

    fn configuration(&self, authority: &str, kind: &str) -> String {
        let mut out = String::new();
        configuration(self, authority, kind, &mut out);
        out
    }
}

fn configuration(args: &Wanted, authority: &str, kind: &str, out: &mut String) {
    let validates = kind == "Validating";
    let verb = if validates { "validate" } else { "mutate" };
    let failure = match (args.failure_policy, validates) {
        (OnFailure::Fail, true) => "Fail",
        // A tag that was not pinned is judged all the same: only the validating webhook must answer.
        _ => "Ignore",
    };
    let mut except: Vec<&str> = vec![ALWAYS];
    except.extend(args.service.as_ref().map(|service| service.namespace.as_str()));
    except.extend(args.except.iter().map(String::as_str));
    except.sort_unstable();
    except.dedup();
    let _ = write!(
        out,
        "apiVersion: admissionregistration.k8s.io/v1\nkind: {kind}WebhookConfiguration\nmetadata:\n  name: {NAME}\n  \
         labels: {{{}: {}}}\nwebhooks:\n- name: {verb}.boltseal.io\n  admissionReviewVersions: [v1]\n  sideEffects: None\n  \
         timeoutSeconds: {}\n  failurePolicy: {failure}\n  matchPolicy: Equivalent\n",
        MADE_BY.0, MADE_BY.1, args.timeout
    );
    if !validates {
        // Sidecars that other webhooks add are pinned too.
        out.push_str("  reinvocationPolicy: IfNeeded\n");
    }
    let _ = writeln!(
        out,
        "  # Never asked about: what must start while nobody answers.\n  namespaceSelector:\n    matchExpressions:\n    \
         - key: kubernetes.io/metadata.name\n      operator: NotIn\n      values: [{}]",
        except.join(", ")
    );
    out.push_str("  clientConfig:\n");
    match (&args.service, &args.url) {
        (Some(Service { namespace, name, port }), _) => {
            let _ = writeln!(
                out,
                "    service: {{namespace: {namespace}, name: {name}, port: {port}, path: /admission/{verb}}}"
            );
        }
        (None, url) => {
            let url = url.as_deref().unwrap_or_default();
            let _ = writeln!(out, "    url: {url}/admission/{verb}");
        }
    }
    let _ = writeln!(out, "    caBundle: {authority}");
    rules(validates, out);
}

fn rules(validates: bool, out: &mut String) {
    out.push_str("  rules:\n");
    let mut rule = |groups: &str, operations: &str, resources: &str| {
        let _ = writeln!(
            out,
            "  - {{apiGroups: [{groups}], apiVersions: [\"*\"], operations: [{operations}], resources: [{resources}], \
             scope: Namespaced}}"
        );
    };
    rule("\"\"", "CREATE, UPDATE", "pods");
    rule("\"\"", "UPDATE", "pods/ephemeralcontainers");
    if validates {
        rule("\"\"", "CREATE, UPDATE", "replicationcontrollers, podtemplates");
        rule("apps", "CREATE, UPDATE", "deployments, replicasets, statefulsets, daemonsets");
        rule("batch", "CREATE, UPDATE", "jobs, cronjobs");
    }
}

/// RFC 1123, as Kubernetes names things.
fn name(text: &str) -> Result<String, String> {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if text.is_empty() || text.len() > 63 || !text.bytes().all(plain) {
        return Err(format!("`{text}` is no name: lower-case letters, digits and `-`"));
    }
    Ok(text.to_owned())
}

fn service(text: &str) -> Result<Service, String> {
    let (namespace, rest) = text.split_once('/').ok_or("write NAMESPACE/NAME")?;
    let (own, port) = rest.split_once(':').unwrap_or((rest, "8443"));
    let port = port.parse().map_err(|_| format!("`{port}` is no port"))?;
    Ok(Service { namespace: name(namespace)?, name: name(own)?, port })
}

/// What stands in a configuration must not be able to add lines to it.
fn address(text: &str) -> Result<String, String> {
    let url = url::Url::parse(text).map_err(|wrong| wrong.to_string())?;
    let plain = url.query().is_none() && url.fragment().is_none() && url.username().is_empty();
    if url.scheme() != "https" || !url.has_host() || !plain {
        return Err("API servers ask over https only: write https://boltseal.example:8443".to_owned());
    }
    Ok(url.as_str().trim_end_matches('/').to_owned())
}
