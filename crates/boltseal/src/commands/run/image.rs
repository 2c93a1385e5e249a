//! An image as the group of one container that runs it.
//!
//! ```text
//! boltseal run -p 80 registry.example.com/shop/web:v1   ─▶   name: web, ipAddress: {ports: [{port: 80}]}, containers: [web]
//! ```
//!
//! So there is one format that is read, admitted and planned, whichever way somebody asked.

use std::{collections::BTreeMap, fmt::Write as _, fs, path::Path};

use super::Args;
use crate::{exit::Failure, lent};

/// Places of images that are no registries.
const KINDS: [&str; 4] = ["oci", "oci-archive", "docker-archive", "dir"];
/// The group of one container that runs an image, and where the image is if not in a registry.
pub fn of_image(args: &Args) -> Result<(String, BTreeMap<String, String>), Failure> {
    let what = args.what.strip_prefix("docker://").unwrap_or(&args.what);
    let is_elsewhere =
        KINDS.iter().any(|kind| what.strip_prefix(kind).is_some_and(|rest| rest.starts_with(':')))
            || Path::new(what).exists();
    let name = match &args.name {
        Some(name) => name.clone(),
        None => named_after(what),
    };
    let quoted = |text: &str| serde_json::to_string(text).map_err(Failure::fault);
    let mut images = BTreeMap::new();
    let image = if is_elsewhere {
        let image = format!("{name}:local");
        images.extend([absolute((image.clone(), what.to_owned()))]);
        image
    } else {
        what.to_owned()
    };
    let mut text = format!("type: Microsoft.ContainerInstance/containerGroups\nname: {}\n", quoted(&name)?);
    if !args.egress.is_empty() {
        let _ = writeln!(text, "tags: {{boltseal.egress: {}}}", quoted(&args.egress.join(", "))?);
    }
    let _ = writeln!(text, "properties:\n  osType: Linux\n  restartPolicy: {}", quoted(&args.restart)?);
    let ports = args.publish.iter().map(|port| published(port)).collect::<Result<Vec<_>, _>>()?;
    if !ports.is_empty() {
        let _ = writeln!(text, "  ipAddress: {{type: Public, ports: [{}]}}", ports.join(", "));
    }
    let _ = writeln!(
        text,
        "  containers:\n  - name: {}\n    properties:\n      image: {}",
        quoted(&name)?,
        quoted(&image)?
    );
    let number =
        |text: &str| text.parse::<f64>().map_err(|_| Failure::usage(format_args!("`{text}` is no number")));
    let (cpu, memory) = (number(&args.cpu)?, number(&args.memory)?);
    let _ = writeln!(text, "      resources: {{requests: {{cpu: {cpu}, memoryInGB: {memory}}}}}");
    if !args.command.is_empty() {
        let words = args.command.iter().map(|word| quoted(word)).collect::<Result<Vec<_>, _>>()?;
        let _ = writeln!(text, "      command: [{}]", words.join(", "));
    }
    let mut env = args.env.clone();
    if args.terminal && !env.iter().any(|(name, _)| name == "TERM") {
        env.extend(lent::kind().map(|kind| ("TERM".to_owned(), kind)));
    }
    if !env.is_empty() {
        let _ = writeln!(text, "      environmentVariables:");
        for (name, value) in &env {
            let _ = writeln!(text, "      - {{name: {}, value: {}}}", quoted(name)?, quoted(value)?);
        }
    }
    Ok((text, images))
}

/// `8080:80/tcp` as the format of groups has it, whose ports are the same on both sides.
fn published(text: &str) -> Result<String, Failure> {
    let wrong =
        || Failure::usage(format_args!("`{text}` is no port to publish")).next("write PORT, or PORT/udp");
    let (ports, protocol) = text.split_once('/').unwrap_or((text, "tcp"));
    let (outside, inside) = ports.split_once(':').unwrap_or((ports, ports));
    let number = |text: &str| text.parse::<u16>().ok().filter(|port| *port > 0);
    let (outside, inside) = (number(outside).ok_or_else(wrong)?, number(inside).ok_or_else(wrong)?);
    if outside != inside {
        return Err(Failure::usage(format_args!(
            "{outside} of this machine cannot lead to {inside}: container groups have the same port on both sides"
        ))
        .next(format!("publish {inside}, or have the program listen on {outside}")));
    }
    if !matches!(protocol, "tcp" | "udp") {
        return Err(wrong());
    }
    Ok(format!("{{port: {inside}, protocol: {}}}", protocol.to_uppercase()))
}

/// The last part of the repository's name, or of a path, as a group can be called.
fn named_after(image: &str) -> String {
    let place = KINDS.iter().find_map(|kind| image.strip_prefix(kind)?.strip_prefix(':')).unwrap_or(image);
    let last = place.trim_end_matches('/').rsplit('/').next().unwrap_or(place);
    let last = last.split([':', '@']).next().unwrap_or(last);
    let plain: String = last
        .to_ascii_lowercase()
        .chars()
        .map(|one| if one.is_ascii_alphanumeric() { one } else { '-' })
        .collect();
    let name = plain.trim_matches('-').chars().take(60).collect::<String>();
    let name = name.trim_end_matches('-');
    if name.chars().any(|one| one.is_ascii_alphabetic()) { name.to_owned() } else { format!("run{name}") }
}

/// The agent has another working folder.
pub fn absolute((image, target): (String, String)) -> (String, String) {
    let whole = |path: &str| fs::canonicalize(path).map(|path| path.display().to_string());
    let target = match target.split_once(':') {
        Some((kind, rest)) if KINDS.contains(&kind) => {
            let (path, tag) = match rest.rsplit_once(':') {
                Some((path, tag)) if !Path::new(rest).exists() => (path, Some(tag)),
                _ => (rest, None),
            };
            let path = whole(path).unwrap_or_else(|_| path.to_owned());
            tag.map_or_else(|| format!("{kind}:{path}"), |tag| format!("{kind}:{path}:{tag}"))
        }
        _ => whole(&target).unwrap_or(target),
    };
    (image, target)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_are_named_after_images() {
        for (image, name) in [
            ("registry.example.com/shop/web:v1", "web"),
            ("registry.example.com:5000/shop/Web_Server", "web-server"),
            ("debian:12", "debian"),
            ("debian@sha256:00", "debian"),
            ("oci:build/app", "app"),
            ("docker-archive:/tmp/app.tar", "app-tar"),
            ("oci:build/app:v2", "app"),
            ("12", "run12"),
        ] {
            assert_eq!(named_after(image), name, "{image}");
        }
    }
}
