//! containerd's configuration edited in its text: a block of our own at the end, and one line.
//!
//! A drop-in file would not do: containerd takes the whole of a plugin's settings from the last file that has any.

use std::fmt::Write as _;

use toml::{Table, Value};

use super::install::{Error, NAME};

/// Around what is ours.
const BEGIN: &str = "# boltseal engine install: begin\n";
const END: &str = "# boltseal engine install: end\n";
/// At the end of a line that was not there.
const ADDED: &str = " # boltseal engine install";
const KEY: &str = "default_runtime_name";

/// What containerd calls its part for Kubernetes.
fn plugin(config: &Table) -> Result<&'static str, Error> {
    match config.get("version").and_then(Value::as_integer) {
        Some(2) => Ok("io.containerd.grpc.v1.cri"),
        Some(3) => Ok("io.containerd.cri.v1.runtime"),
        _ => Err(Error::Old),
    }
}

fn read(text: &str) -> Result<Table, Error> {
    text.parse().map_err(|wrong: toml::de::Error| Error::Toml(wrong.message().to_owned()))
}

fn get<'a>(config: &'a Table, path: &[&str]) -> Option<&'a Value> {
    let (first, rest) = path.split_first()?;
    rest.iter().try_fold(config.get(*first)?, |value, name| value.get(name))
}

pub(super) fn edited(before: Option<&str>, program: &str) -> Result<String, Error> {
    let text = without_block(before.unwrap_or("version = 2\n"));
    let config = read(&text)?;
    let plugin = plugin(&config)?;
    let off = |name: &Value| matches!(name.as_str(), Some("cri")) || name.as_str() == Some(plugin);
    if config.get("disabled_plugins").and_then(Value::as_array).is_some_and(|names| names.iter().any(off)) {
        return Err(Error::Off);
    }
    let (mut text, has_line) = with_line(&text, plugin);
    if !text.ends_with('\n') {
        text.push('\n');
    }
    text.push_str(BEGIN);
    if !has_line {
        let _ = write!(text, "[plugins.\"{plugin}\".containerd]\n{KEY} = \"{NAME}\"\n");
    }
    let _ = write!(
        text,
        "[plugins.\"{plugin}\".containerd.runtimes.{NAME}]\nruntime_type = \"io.containerd.runc.v2\"\n\
         [plugins.\"{plugin}\".containerd.runtimes.{NAME}.options]\nBinaryName = {}\n",
        serde_json::Value::from(program)
    );
    // Who keeps the control groups is a matter of the machine, not of the runtime.
    let runtimes = ["plugins", plugin, "containerd"];
    let old =
        get(&config, &[&runtimes[..], &[KEY]].concat()).and_then(Value::as_str).filter(|name| *name != NAME);
    let options = [&runtimes[..], &["runtimes", old.unwrap_or("runc"), "options", "SystemdCgroup"]].concat();
    if get(&config, &options).and_then(Value::as_bool) == Some(true) {
        text.push_str("SystemdCgroup = true\n");
    }
    text.push_str(END);
    if is_told(&text, program) { Ok(text) } else { Err(Error::Unusual) }
}

pub(super) fn restored(now: &str, before: Option<&str>) -> Result<String, Error> {
    let text = without_block(now);
    let config = read(&text)?;
    let plugin = plugin(&config)?;
    let old = before.and_then(|text| read(text).ok());
    let old = old.as_ref().and_then(|config| get(config, &["plugins", plugin, "containerd", KEY])?.as_str());
    let line = |line: &str| match (is_line(line), old) {
        (true, Some(old)) => Some(line.replacen(&format!("\"{NAME}\""), &format!("\"{old}\""), 1)),
        (true, None) => None,
        (false, _) => Some(line.to_owned()),
    };
    let text: String = text.split_inclusive('\n').filter_map(line).collect();
    read(&text)?;
    Ok(text)
}

pub(super) fn is_told(now: &str, program: &str) -> bool {
    let told = || {
        let config = read(now).ok()?;
        let plugin = plugin(&config).ok()?;
        let containerd = get(&config, &["plugins", plugin, "containerd"])?;
        let name = containerd.get(KEY)?.as_str()?;
        let binary = containerd.get("runtimes")?.get(NAME)?.get("options")?.get("BinaryName")?.as_str()?;
        Some(name == NAME && binary == program)
    };
    told().unwrap_or(false)
}

fn without_block(text: &str) -> String {
    match (text.find(BEGIN), text.find(END)) {
        (Some(begin), Some(end)) if begin < end => {
            let (before, after) = (text.get(..begin), text.get(end + END.len()..));
            format!("{}{}", before.unwrap_or_default(), after.unwrap_or_default())
        }
        _ => text.to_owned(),
    }
}

/// Whether a line says that ours is what is taken.
fn is_line(line: &str) -> bool {
    let line = line.trim().strip_suffix(ADDED).unwrap_or(line.trim());
    line.split_once('=')
        .is_some_and(|(key, value)| key.trim() == KEY && value.trim() == format!("\"{NAME}\""))
}

/// Sets the line in the table that has it or should have it, where there is such a table.
fn with_line(text: &str, plugin: &str) -> (String, bool) {
    let headers = ["\"", "'"].map(|quote| format!("[plugins.{quote}{plugin}{quote}.containerd]"));
    let (mut out, mut inside, mut at, mut done) = (String::new(), false, None, false);
    for line in text.split_inclusive('\n') {
        let plain = line.trim();
        if plain.starts_with('[') {
            inside = headers.iter().any(|header| header == plain);
            out.push_str(line);
            if inside {
                at = Some(out.len());
            }
            continue;
        }
        if inside && plain.split('=').next().is_some_and(|key| key.trim() == KEY) {
            let indent = line.get(..line.len() - line.trim_start().len()).unwrap_or_default();
            let mark = if plain.ends_with(ADDED) { ADDED } else { "" };
            let _ = writeln!(out, "{indent}{KEY} = \"{NAME}\"{mark}");
            done = true;
            continue;
        }
        out.push_str(line);
    }
    if let (Some(at), false) = (at, done) {
        out.insert_str(at, &format!("{KEY} = \"{NAME}\"{ADDED}\n"));
        done = true;
    }
    (out, done)
}

#[cfg(test)]
mod tests {
    use super::*;

    const V2: &str = "\
version = 2
# ours since 2019
[plugins]
  [plugins.\"io.containerd.grpc.v1.cri\"]
    [plugins.\"io.containerd.grpc.v1.cri\".containerd]
      default_runtime_name = \"runc\"
      snapshotter = \"overlayfs\"
      [plugins.\"io.containerd.grpc.v1.cri\".containerd.runtimes.runc]
        runtime_type = \"io.containerd.runc.v2\"
        [plugins.\"io.containerd.grpc.v1.cri\".containerd.runtimes.runc.options]
          SystemdCgroup = true
";

    #[test]
    fn what_is_there_is_kept() {
        let v3 = "version = 3\n[plugins.'io.containerd.cri.v1.runtime'.containerd]\nsnapshotter = 'x'";
        for (before, kept) in [
            (V2, "snapshotter = \"overlayfs\""),
            (v3, "snapshotter = 'x'"),
            ("version = 2\nroot = \"/x\"\n", "root = \"/x\""),
        ] {
            let after = edited(Some(before), "/w").unwrap();
            assert!(is_told(&after, "/w") && !is_told(before, "/w") && after.contains(kept), "{after}");
            assert_eq!(edited(Some(&after), "/w").unwrap(), after);
            assert_eq!(
                after.matches("SystemdCgroup = true").count(),
                before.matches("SystemdCgroup = true").count() * 2
            );
            // Somebody adds something, and then it is taken out.
            let changed = after.replacen("version", "# mine\nversion", 1);
            let restored = restored(&changed, Some(before)).unwrap();
            let wanted = before.replacen("version", "# mine\nversion", 1);
            assert_eq!(restored.trim_end(), wanted.trim_end());
        }
    }

    #[test]
    fn what_cannot_be_edited_is_left_alone() {
        let inline = "version = 2\n[plugins.\"io.containerd.grpc.v1.cri\"]\ncontainerd = { default_runtime_name = \"runc\" }\n";
        for (text, wanted) in [
            ("root = \"/x\"\n", Error::Old),
            ("version = 2\ndisabled_plugins = [\"cri\"]\n", Error::Off),
            (inline, Error::Unusual),
        ] {
            assert_eq!(edited(Some(text), "/w"), Err(wanted), "{text}");
        }
        assert!(matches!(edited(Some("version = "), "/w"), Err(Error::Toml(_))));
    }
}
