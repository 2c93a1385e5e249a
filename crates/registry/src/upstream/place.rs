//! Names here and names there. Pure: no network, no store.

use boltseal_api::upstreams::Upstream;
use boltseal_model::Reference;

/// What people and Docker's own files call Docker Hub.
const DOCKER_HUB: &str = "docker.io";
/// Other hosts of the same registry.
const ALSO_DOCKER_HUB: [&str; 2] = ["index.docker.io", "registry-1.docker.io"];

/// Whether `upstream` stands behind this repository.
pub(crate) fn covers(upstream: &Upstream, repository: &str) -> bool {
    rest(upstream, repository).is_some()
}

/// The name there of a repository here.
pub(crate) fn remote_name(upstream: &Upstream, repository: &str) -> Option<String> {
    let rest = rest(upstream, repository)?;
    let changed = upstream.rewrite.iter().find_map(|rule| {
        let after = rest.strip_prefix(rule.from.as_str())?;
        Some(format!("{}{after}", rule.to))
    });
    let rest = changed.unwrap_or_else(|| rest.to_owned());
    let name = match upstream.path.as_str() {
        // Docker Hub's official images are in `library` there, and nowhere for people.
        "" if host(&upstream.host) == DOCKER_HUB && !rest.contains('/') => format!("library/{rest}"),
        "" => rest,
        path => format!("{path}/{rest}"),
    };
    Reference::is_repository(&name).then_some(name)
}

/// The name here of a repository that a client calls by its name there: containerd says in `ns` which host it means.
pub(crate) fn local_name(upstream: &Upstream, namespace: &str, repository: &str) -> Option<String> {
    if host(namespace) != host(&upstream.host) {
        return None;
    }
    // Whoever configured the prefix in the client too.
    if covers(upstream, repository) {
        return Some(repository.to_owned());
    }
    let rest = match upstream.path.as_str() {
        "" => repository,
        path => repository.strip_prefix(path)?.strip_prefix('/')?,
    };
    let name = format!("{}/{rest}", upstream.prefix);
    Reference::is_repository(&name).then_some(name)
}

/// Whether the filters let `name`, as it is called there, be fetched.
pub(crate) fn allows(upstream: &Upstream, name: &str) -> bool {
    let any = |patterns: &[String]| patterns.iter().any(|pattern| fits(pattern, name));
    (upstream.allow.is_empty() || any(&upstream.allow)) && !any(&upstream.deny)
}

/// Whether `text` is what `pattern` says, in which `*` stands for any text. Takes no longer than the product of both
/// lengths.
pub(crate) fn fits(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
    let (mut at, mut place) = (0, 0);
    // Where to go on with one byte more for the last star.
    let mut again: Option<(usize, usize)> = None;
    while at < text.len() {
        match pattern.get(place) {
            Some(b'*') => {
                again = Some((place, at));
                place += 1;
            }
            Some(sign) if text.get(at) == Some(sign) => {
                at += 1;
                place += 1;
            }
            _ => match &mut again {
                Some((star, taken)) => {
                    *taken += 1;
                    at = *taken;
                    place = *star + 1;
                }
                None => return false,
            },
        }
    }
    pattern.get(place..).unwrap_or_default().iter().all(|sign| *sign == b'*')
}

/// One name for every host of Docker Hub.
fn host(host: &str) -> &str {
    if ALSO_DOCKER_HUB.contains(&host) { DOCKER_HUB } else { host }
}

fn rest<'r>(upstream: &Upstream, repository: &'r str) -> Option<&'r str> {
    repository.strip_prefix(upstream.prefix.as_str())?.strip_prefix('/').filter(|rest| !rest.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn upstream(prefix: &str, host: &str, path: &str, rewrite: &[(&str, &str)]) -> Upstream {
        let rewrite: Vec<_> =
            rewrite.iter().map(|(from, to)| serde_json::json!({ "from": from, "to": to })).collect();
        serde_json::from_value(serde_json::json!({
            "name": "x", "prefix": prefix, "host": host, "path": path, "rewrite": rewrite,
        }))
        .unwrap()
    }

    #[test]
    fn names_go_there() {
        for (prefix, host, path, rewrite, repository, expected) in [
            ("hub", "docker.io", "", &[][..], "hub/library/debian", Some("library/debian")),
            ("hub", "docker.io", "", &[], "hub/debian", Some("library/debian")),
            ("hub", "registry-1.docker.io", "", &[], "hub/debian", Some("library/debian")),
            ("hub", "ghcr.io", "", &[], "hub/debian", Some("debian")),
            ("hub", "docker.io", "", &[], "hubs/debian", None),
            ("hub", "docker.io", "", &[], "hub", None),
            ("a/b", "r.example", "team", &[], "a/b/app", Some("team/app")),
            ("k8s", "registry.k8s.io", "", &[("old/", "new/")], "k8s/old/pause", Some("new/pause")),
            ("k8s", "registry.k8s.io", "", &[("old/", "new/")], "k8s/other/pause", Some("other/pause")),
            ("k8s", "registry.k8s.io", "", &[("o", "BAD")], "k8s/other", None),
        ] {
            let found = remote_name(&upstream(prefix, host, path, rewrite), repository);
            assert_eq!(found.as_deref(), expected, "{prefix} {host} {path} {repository}");
        }
    }

    #[test]
    fn names_come_back() {
        for (host, path, namespace, repository, expected) in [
            ("docker.io", "", "docker.io", "library/debian", Some("hub/library/debian")),
            ("docker.io", "", "registry-1.docker.io", "library/debian", Some("hub/library/debian")),
            ("docker.io", "", "docker.io", "hub/library/debian", Some("hub/library/debian")),
            ("docker.io", "", "quay.io", "library/debian", None),
            ("r.example:5000", "team", "r.example:5000", "team/app", Some("hub/app")),
            ("r.example:5000", "team", "r.example:5000", "teams/app", None),
            ("r.example:5000", "team", "r.example", "team/app", None),
        ] {
            let found = local_name(&upstream("hub", host, path, &[]), namespace, repository);
            assert_eq!(found.as_deref(), expected, "{host} {path} {namespace} {repository}");
        }
    }

    #[test]
    fn patterns() {
        for (pattern, text, expected) in [
            ("library/*", "library/debian", true),
            ("library/*", "other/debian", false),
            ("*", "", true),
            ("", "", true),
            ("", "a", false),
            ("a*c", "abc", true),
            ("a*c", "ac", true),
            ("a*c", "acb", false),
            ("a*b*c", "a-b-b-c", true),
            ("1.*", "1.2.3", true),
            ("*-slim", "12-slim", true),
            ("*-slim", "12-slim-x", false),
            ("**a", "bba", true),
        ] {
            assert_eq!(fits(pattern, text), expected, "{pattern} {text}");
        }
        let (pattern, text) = ("*a".repeat(200), "a".repeat(20_000) + "b");
        assert!(!fits(&pattern, &text), "and in no time");
    }

    #[test]
    fn filters() {
        let mut some = upstream("hub", "docker.io", "", &[]);
        assert!(allows(&some, "anything"));
        some.deny = vec!["library/evil*".to_owned()];
        assert!(allows(&some, "library/debian") && !allows(&some, "library/evil-twin"));
        some.allow = vec!["library/*".to_owned()];
        assert!(!allows(&some, "somebody/app") && !allows(&some, "library/evil"));
    }
}
