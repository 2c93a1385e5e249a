//! Service Fabric: service manifests (which images) and application manifests (under which policies).
//!
//! Schema: `ServiceFabricServiceModel.xsd` 9. Both kinds are read each by itself: a service manifest says which image, an
//! application manifest says ports, volumes, isolation and credentials. Parameters in brackets stand for their defaults.

use std::{collections::HashMap, sync::Arc};

use crate::{
    document::{At, Node},
    leaf::{Leaf, Place},
    read::{Object, Read, Reader},
    workload::{
        Container, Env, EnvKind, Id, Isolation, Mount, Port, PullSecret, Resources, Security, Source,
        Workload,
    },
};

/// `service-fabric`
pub(crate) const READER: Reader = Reader {
    name: "service-fabric",
    title: "application and service manifests of Service Fabric",
    recognises: |at| at.get("ServiceManifest").is_list() || at.get("ApplicationManifest").is_list(),
    read,
};

/// Defaults of parameters, by name.
type Parameters = HashMap<String, String>;

fn read(file: &Arc<str>, node: &Node, out: &mut Read) {
    let node = Arc::new(node.clone());
    let top = At::top(&node);
    for manifest in top.get("ServiceManifest").items() {
        for package in manifest.get("CodePackage").items() {
            let name = format!("{}/{}", word(&manifest, "@Name"), word(&package, "@Name"));
            let container = service(&package, &name);
            add(file, &node, &package, ("codePackage", name), vec![container], out);
        }
    }
    for manifest in top.get("ApplicationManifest").items() {
        let parameters = parameters(&manifest);
        for import in manifest.get("ServiceManifestImport").items() {
            let of = first(&import, "ServiceManifestRef");
            for policies in import.get("Policies").items() {
                for host in policies.get("ContainerHostPolicies").items() {
                    let code = word(&host, "@CodePackageRef");
                    let name = format!("{}/{code}", word(&of, "@ServiceManifestName"));
                    let container = policy(&import, &policies, &host, (&name, &code), &parameters);
                    add(file, &node, &host, ("policies", name), vec![container], out);
                    if let Some(workload) = out.workloads.last_mut() {
                        workload.pull = pull(&host, &parameters);
                        workload.isolation = isolation(&host, &parameters);
                    }
                }
            }
        }
    }
}

fn word(at: &At<'_>, key: &str) -> String {
    at.get(key).word().unwrap_or("*").to_owned()
}

/// The first element of this name.
fn first<'a>(at: &At<'a>, name: &str) -> At<'a> {
    let list = at.get(name);
    list.items().into_iter().next().unwrap_or(list)
}

fn parameters(manifest: &At<'_>) -> Parameters {
    let listed = manifest.get("Parameters").items();
    let all = listed.iter().flat_map(|one| one.get("Parameter").items());
    all.map(|one| (word(&one, "@Name"), one.get("@DefaultValue").word().unwrap_or_default().to_owned()))
        .collect()
}

/// `[Name]` is a parameter.
fn resolved(leaf: Leaf<String>, parameters: &Parameters) -> Leaf<String> {
    match leaf {
        Leaf::Set(text, place) => match text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            Some(name) => match parameters.get(name) {
                Some(default) => Leaf::Set(default.clone(), place),
                None => Leaf::Unknown(format!("parameter {name} is set where it is deployed"), place),
            },
            None => Leaf::Set(text, place),
        },
        other => other,
    }
}

fn add(
    file: &Arc<str>,
    node: &Arc<Node>,
    at: &At<'_>,
    (kind, name): (&str, String),
    containers: Vec<Container>,
    out: &mut Read,
) {
    let Place { line, path } = at.place();
    out.workloads.push(Workload {
        source: Source {
            orchestrator: READER.name,
            file: file.clone(),
            line,
            path,
            node: Some(node.clone()),
        },
        id: Id { kind: kind.to_owned(), name: name.clone(), ..Id::default() },
        containers,
        ..Workload::default()
    });
    out.objects.push(Object {
        orchestrator: READER.name,
        file: file.clone(),
        line,
        api: String::new(),
        kind: kind.to_owned(),
        name,
        namespace: Leaf::default(),
        node: node.clone(),
    });
}

fn service(package: &At<'_>, name: &str) -> Container {
    let host = first(&first(package, "EntryPoint"), "ContainerHost");
    let image = first(&host, "ImageName").get("#text").text();
    let variables = package.get("EnvironmentVariables").items();
    Container {
        name: name.to_owned(),
        image,
        env: variables.iter().flat_map(|one| env(one, &Parameters::new())).collect(),
        place: package.place(),
        ..Container::default()
    }
}

fn env(at: &At<'_>, parameters: &Parameters) -> Vec<Env> {
    let one = |at: At<'_>| {
        let kind = match at.get("@Type").word() {
            Some("Encrypted") => EnvKind::Secret,
            Some("SecretsStoreRef") => EnvKind::SecretReference(at.get("@Value").text()),
            _ => EnvKind::Plain(resolved(at.get("@Value").text(), parameters)),
        };
        Env { name: word(&at, "@Name"), kind, place: at.place() }
    };
    at.get("EnvironmentVariable").items().into_iter().map(one).collect()
}

fn policy(
    import: &At<'_>,
    policies: &At<'_>,
    host: &At<'_>,
    (name, code): (&str, &str),
    parameters: &Parameters,
) -> Container {
    let own = |at: &At<'_>| at.get("@CodePackageRef").word() == Some(code);
    let overrides = import.get("EnvironmentOverrides").items();
    let limits = policies.get("ResourceGovernancePolicy").items().into_iter().find(own);
    let limit = |key: &str| {
        limits
            .as_ref()
            .map_or_else(|| Leaf::Unset(policies.place()), |at| resolved(at.get(key).text(), parameters))
    };
    let mut container = Container {
        name: name.to_owned(),
        env: overrides.iter().filter(|at| own(at)).flat_map(|at| env(at, parameters)).collect(),
        ports: host.get("PortBinding").items().iter().map(port).collect(),
        mounts: host.get("Volume").items().iter().map(|at| mount(at, parameters)).collect(),
        security: Security::default(),
        resources: Resources {
            cpu_limit: limit("@CpuShares"),
            memory_limit: limit("@MemoryInMB"),
            ..Resources::default()
        },
        place: host.place(),
        ..Container::default()
    };
    for option in host.get("SecurityOption").items() {
        if let Leaf::Set(text, place) = resolved(option.get("@Value").text(), parameters) {
            crate::docker::words::security_option(&text, place, &mut container.security);
        }
    }
    container
}

fn port(at: &At<'_>) -> Port {
    Port {
        container: at.get("@ContainerPort").integer(),
        host: Leaf::default(),
        address: Leaf::default(),
        name: at.get("@EndpointRef").text(),
        place: at.place(),
    }
}

/// With a driver the source is a volume, without one a folder of the host.
fn mount(at: &At<'_>, parameters: &Parameters) -> Mount {
    let source = resolved(at.get("@Source").text(), parameters);
    let driven = at.get("@Driver").is_set();
    let unset = Leaf::Unset(at.place());
    Mount {
        volume: if driven { source.clone() } else { unset.clone() },
        host: if driven { unset } else { source },
        target: at.get("@Destination").text(),
        read_only: at.get("@IsReadOnly").flag(),
        propagation: Leaf::default(),
        sub_path: Leaf::default(),
        place: at.place(),
    }
}

fn pull(host: &At<'_>, parameters: &Parameters) -> Vec<PullSecret> {
    let one = |at: At<'_>| {
        let password = resolved(at.get("@Password").text(), parameters);
        let kept = at.get("@PasswordEncrypted").flag().is_on()
            || at.get("@Type").word().is_some_and(|kind| kind != "PlainText");
        if kept { PullSecret::Reference(password) } else { PullSecret::Password(password) }
    };
    host.get("RepositoryCredentials").items().into_iter().map(one).collect()
}

fn isolation(host: &At<'_>, parameters: &Parameters) -> Isolation {
    let network = host.get("NetworkConfig").items();
    let open = network.iter().find(|at| at.get("@NetworkType").word() == Some("Host"));
    Isolation {
        host_network: open.map_or_else(Leaf::default, |at| Leaf::Set(true, at.place())),
        sandbox: resolved(host.get("@Isolation").text(), parameters),
        ..Isolation::default()
    }
}
