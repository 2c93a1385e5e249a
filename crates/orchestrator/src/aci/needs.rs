//! What a container group needs to run, beside the model that checks look at: values that the model leaves out because they
//! are secret, credentials of registries, and probes.
//!
//! A value that does not stand in the file is `None`: whoever runs the group has to be given it.

use std::collections::BTreeMap;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use zeroize::Zeroizing;

use super::{
    group::inner,
    managed::{Assigned, Managed, managed},
    tags::{Renewal, renewal},
};
use crate::{document::At, leaf::Place, workload::Workload};

/// Bytes of all secret values of a group; what Kubernetes allows for one secret.
const MAX_SECRETS: usize = 1 << 20;

/// What a group needs to run.
#[derive(Default)]
pub struct Needs {
    /// Secret variables: container, name, value.
    pub variables: Vec<Variable>,
    /// Secret volumes: by the volume's name, its files.
    pub volumes: BTreeMap<String, BTreeMap<String, Secret>>,
    /// As whom it runs.
    pub managed: Option<Managed>,
    /// When it is replaced by itself.
    pub renewal: Renewal,
    /// How to sign in to registries.
    pub registries: Vec<Registry>,
    /// Probes of containers, by their names.
    pub probes: BTreeMap<String, Probes>,
    /// What cannot be done as it is written.
    pub wrong: Vec<(Place, String)>,
}

/// A value that may not be in the file.
pub type Secret = Option<Zeroizing<Vec<u8>>>;

/// A secret variable.
pub struct Variable {
    /// Of which container.
    pub container: String,
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: Secret,
}

/// A registry that has to be signed in to.
pub struct Registry {
    /// Its host.
    pub server: String,
    /// As whom.
    pub username: String,
    /// With what.
    pub password: Secret,
    /// As an identity that is assigned to the group, instead.
    pub identity: Option<Assigned>,
}

/// How a container is found to be well.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Probes {
    /// Where it fails, the container is started anew.
    pub liveness: Option<Probe>,
    /// Until it passes, the container is not ready.
    pub readiness: Option<Probe>,
}

/// One probe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Probe {
    /// What is tried.
    pub tries: Tries,
    /// Seconds after the start before it is tried first.
    pub delay: u32,
    /// Seconds between two tries.
    pub period: u32,
    /// Seconds that one may take.
    pub timeout: u32,
    /// Tries in a row that fail before it counts as failed.
    pub failures: u32,
    /// Tries in a row that pass before it counts as passed.
    pub successes: u32,
}

/// What a probe tries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tries {
    /// A program in the container, which passes with exit code 0.
    Exec(Vec<String>),
    /// A request to the container, which passes with a status from 200 to 399.
    Http {
        /// The port.
        port: u16,
        /// The path, with what is asked.
        path: String,
        /// Whether by TLS; certificates are not looked at, as in Azure.
        tls: bool,
        /// Headers.
        headers: Vec<(String, String)>,
    },
}

impl std::fmt::Debug for Needs {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        to.debug_struct("Needs")
            .field("probes", &self.probes)
            .field("wrong", &self.wrong)
            .finish_non_exhaustive()
    }
}

/// Of a group that was read by [`read`](crate::read()). Of anything else, nothing.
pub fn needs(workload: &Workload) -> Needs {
    let mut needs = Needs::default();
    let Some(node) = workload.source.node.as_deref().filter(|_| workload.source.orchestrator == "aci") else {
        return needs;
    };
    let group = At::under(node, &workload.source.path).folding();
    needs.managed = managed(&group.get("identity"), &mut needs.wrong);
    needs.renewal = renewal(&group.get("tags"), &mut needs.wrong);
    let properties = inner(&group);
    for key in ["initContainers", "containers"] {
        for at in properties.get(key).items() {
            container(&at, &mut needs);
        }
    }
    for at in properties.get("volumes").items() {
        volume(&at, &mut needs);
    }
    for at in properties.get("imageRegistryCredentials").items() {
        registry(&at, &mut needs);
    }
    let bytes: usize =
        needs.volumes.values().flat_map(BTreeMap::values).flatten().map(|value| value.len()).sum();
    if bytes > MAX_SECRETS {
        needs
            .wrong
            .push((properties.get("volumes").place(), format!("more than {MAX_SECRETS} bytes of secrets")));
    }
    needs
}

fn container(at: &At<'_>, needs: &mut Needs) {
    let name = at.get("name").word().map_or_else(|| at.place().path, ToOwned::to_owned);
    let properties = inner(at);
    for variable in properties.get("environmentVariables").items() {
        let (value, reference) = (variable.get("secureValue"), variable.get("secureValueReference"));
        if value.is_set() || reference.is_set() {
            let known = value.word().map(|text| Zeroizing::new(text.as_bytes().to_vec()));
            let called = variable.get("name").word().unwrap_or("?").to_owned();
            needs.variables.push(Variable { container: name.clone(), name: called, value: known });
        }
    }
    let probes = Probes {
        liveness: probe(&properties.get("livenessProbe"), needs),
        readiness: probe(&properties.get("readinessProbe"), needs),
    };
    if probes != Probes::default() {
        needs.probes.insert(name, probes);
    }
}

fn volume(at: &At<'_>, needs: &mut Needs) {
    let Some(name) = at.get("name").word() else { return };
    for key in ["secret", "secretReference"] {
        let files = at.get(key);
        if !files.is_set() {
            continue;
        }
        let mut found = BTreeMap::new();
        for (file, value) in files.entries() {
            if file.is_empty() || file.starts_with("..") || file.contains(['/', '\0']) {
                needs.wrong.push((value.place(), format!("`{file}` is no name of a file")));
                continue;
            }
            let decoded = match value.word().filter(|_| key == "secret") {
                None => None,
                Some(text) => {
                    let Ok(bytes) = STANDARD.decode(text.trim()) else {
                        needs.wrong.push((value.place(), format!("the value of `{file}` is not in base64")));
                        continue;
                    };
                    Some(Zeroizing::new(bytes))
                }
            };
            found.insert(file.to_owned(), decoded);
        }
        needs.volumes.insert(name.to_owned(), found);
    }
}

fn registry(at: &At<'_>, needs: &mut Needs) {
    let Some(server) = at.get("server").word() else { return };
    let identity = at.get("identity");
    let assigned = needs.managed.iter().flat_map(|managed| &managed.assigned);
    let named = identity.word().and_then(|word| {
        assigned
            .clone()
            .find(|one| one.resource.eq_ignore_ascii_case(word) || one.name.eq_ignore_ascii_case(word))
    });
    let identity = match (identity.is_set(), named) {
        (true, None) => {
            let why = "it is none of the identities that `identity` assigns to the group".to_owned();
            needs.wrong.push((identity.place(), why));
            return;
        }
        (_, named) => named.cloned(),
    };
    needs.registries.push(Registry {
        server: server.to_owned(),
        username: at.get("username").word().unwrap_or_default().to_owned(),
        password: at.get("password").word().map(|text| Zeroizing::new(text.as_bytes().to_vec())),
        identity,
    });
}

/// Defaults are Azure's (and Kubernetes').
fn probe(at: &At<'_>, needs: &mut Needs) -> Option<Probe> {
    if !at.is_set() {
        return None;
    }
    let number = |key: &str, default: u32| {
        at.get(key).integer().known().and_then(|number| u32::try_from(*number).ok()).unwrap_or(default)
    };
    let (exec, http) = (at.down(&["exec", "command"]), at.get("httpGet"));
    let tries = if exec.is_set() {
        Tries::Exec(exec.items().iter().filter_map(|item| item.word().map(ToOwned::to_owned)).collect())
    } else if let Some(port) =
        http.get("port").integer().known().and_then(|port| u16::try_from(*port).ok()).filter(|port| *port > 0)
    {
        let headers = http.get("httpHeaders").items();
        let headers = headers.iter().filter_map(|header| {
            Some((header.get("name").word()?.to_owned(), header.get("value").word()?.to_owned()))
        });
        Tries::Http {
            port,
            path: http.get("path").word().unwrap_or("/").to_owned(),
            tls: http.get("scheme").word().is_some_and(|scheme| scheme.eq_ignore_ascii_case("https")),
            headers: headers.collect(),
        }
    } else {
        needs.wrong.push((at.place(), "a probe needs `exec.command` or `httpGet.port`".to_owned()));
        return None;
    };
    if matches!(&tries, Tries::Exec(command) if command.is_empty()) {
        needs.wrong.push((at.place(), "a probe without a command".to_owned()));
        return None;
    }
    Some(Probe {
        tries,
        delay: number("initialDelaySeconds", 0),
        period: number("periodSeconds", 10).max(1),
        timeout: number("timeoutSeconds", 1).max(1),
        failures: number("failureThreshold", 3).max(1),
        successes: number("successThreshold", 1).max(1),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const GROUP: &[u8] = b"
type: Microsoft.ContainerInstance/containerGroups
name: shop
properties:
  osType: Linux
  imageRegistryCredentials: [{server: registry.example.com, username: me, password: word}]
  volumes:
  - {name: keys, secret: {tls.key: aGVsbG8=, ../up: aGVsbG8=, odd: '%%'}}
  - {name: later, secretReference: {token: ref}}
  - {name: scratch, emptyDir: {}}
  containers:
  - name: web
    properties:
      image: web
      environmentVariables: [{name: A, value: b}, {name: TOKEN, secureValue: s3cret}, {name: REF, secureValueReference: r}]
      livenessProbe: {exec: {command: [/bin/true]}, periodSeconds: 5}
      readinessProbe: {httpGet: {port: 8080, path: /ready, scheme: HTTPS, httpHeaders: [{name: X, value: y}]}, failureThreshold: 1}
  - name: odd
    properties: {image: odd, livenessProbe: {tcpSocket: {port: 1}}}
";

    #[test]
    fn what_a_group_needs() {
        let read = crate::read("group.yaml", GROUP).unwrap();
        let needs = needs(&read.workloads[0]);
        let text = |secret: &Secret| secret.as_ref().map(|value| String::from_utf8(value.to_vec()).unwrap());
        let variables: Vec<_> = needs
            .variables
            .iter()
            .map(|one| (one.container.as_str(), one.name.as_str(), text(&one.value)))
            .collect();
        assert_eq!(variables, [("web", "TOKEN", Some("s3cret".to_owned())), ("web", "REF", None)]);
        let keys = &needs.volumes["keys"];
        assert_eq!(keys.keys().collect::<Vec<_>>(), ["tls.key"]);
        assert_eq!(text(&keys["tls.key"]), Some("hello".to_owned()));
        assert_eq!(text(&needs.volumes["later"]["token"]), None);
        assert!(!needs.volumes.contains_key("scratch"));
        assert_eq!(text(&needs.registries[0].password), Some("word".to_owned()));
        let web = &needs.probes["web"];
        let live = web.liveness.as_ref().unwrap();
        assert_eq!((live.period, live.timeout, live.failures), (5, 1, 3));
        let Tries::Http { port: 8080, path, tls: true, headers } = &web.readiness.as_ref().unwrap().tries
        else {
            panic!("{web:?}")
        };
        assert_eq!((path.as_str(), headers.len()), ("/ready", 1));
        let wrong: Vec<_> = needs.wrong.iter().map(|(place, why)| (place.line, why.as_str())).collect();
        assert_eq!(
            wrong,
            [
                (19, "a probe needs `exec.command` or `httpGet.port`"),
                (8, "`../up` is no name of a file"),
                (8, "the value of `odd` is not in base64"),
            ]
        );
        assert!(!format!("{needs:?}").contains("s3cret"));
    }
}
