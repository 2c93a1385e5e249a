//! The specification of a process, closed but for what this node opens.

use boltseal_runtime::start::inside::{Request, SEAL};
use serde_json::{Map, Value, json};

use super::{Error, arguments::Given, harden::Hardening};

/// Sets of capabilities (`capabilities(7)`).
const SETS: [&str; 5] = ["bounding", "effective", "permitted", "inheritable", "ambient"];
/// Who has these has the machine; engines give them together to nobody but the privileged.
const ALL: [&str; 3] = ["CAP_SYS_ADMIN", "CAP_SYS_MODULE", "CAP_SYS_RAWIO"];

/// Whether it has all capabilities.
pub(super) fn is_privileged(process: &Map<String, Value>) -> bool {
    SETS.iter().any(|set| {
        let had = process.get("capabilities").and_then(|sets| sets.get(*set)?.as_array());
        ALL.iter().all(|name| had.is_some_and(|had| had.iter().any(|one| one.as_str() == Some(name))))
    })
}

/// Takes what is not opened.
pub(super) fn harden(process: &mut Map<String, Value>, hardening: &Hardening<'_>) -> Result<(), Error> {
    if is_privileged(process) {
        return Err(hardening
            .closed("it wants to be privileged, which is to be root of the machine", "privileged: true"));
    }
    if process.get("args").and_then(Value::as_array).is_none_or(Vec::is_empty) {
        return Err(hardening.wrong("it names no program"));
    }
    let mut sets = Map::new();
    for set in SETS {
        let had =
            process.get("capabilities").and_then(|sets| sets.get(set)?.as_array()).into_iter().flatten();
        let opened = |name: &&str| hardening.settings.capabilities.iter().any(|opened| opened == name);
        let kept: Vec<&str> = had.filter_map(Value::as_str).filter(opened).collect();
        sets.insert(set.to_owned(), json!(kept));
    }
    process.insert("capabilities".to_owned(), sets.into());
    if !hardening.settings.new_privileges {
        process.insert("noNewPrivileges".to_owned(), true.into());
    }
    Ok(())
}

/// A process that joins, as runtimes make it of a container's own and of arguments.
pub(super) fn given(container: &Value, given: &Given) -> Result<Value, &'static str> {
    let mut process = container.get("process").cloned().ok_or("it has no `process`")?;
    let whole = process.as_object_mut().ok_or("`process` is no object")?;
    let withheld = withheld(whole);
    whole.insert("args".to_owned(), json!(given.args));
    whole.insert("terminal".to_owned(), given.terminal.into());
    if !given.terminal {
        whole.remove("consoleSize");
    }
    for (name, value) in
        [("cwd", &given.cwd), ("selinuxLabel", &given.label), ("apparmorProfile", &given.apparmor)]
    {
        if let Some(value) = value {
            whole.insert(name.to_owned(), json!(value));
        }
    }
    let env = whole.entry("env").or_insert_with(|| json!([])).as_array_mut().ok_or("`env` is no list")?;
    env.extend(withheld.into_iter().map(|(name, value)| json!(format!("{name}={value}"))));
    env.extend(given.env.iter().map(|line| json!(line)));
    if let Some(user) = &given.user {
        let (user, group) =
            user.split_once(':').map_or((user.as_str(), None), |(user, group)| (user, Some(group)));
        let number = |text: &str| text.parse::<u32>().map_err(|_| "the user is no number");
        let entry = whole.entry("user").or_insert_with(|| json!({}));
        let entry = entry.as_object_mut().ok_or("`user` is no object")?;
        entry.insert("uid".to_owned(), number(user)?.into());
        if let Some(group) = group {
            entry.insert("gid".to_owned(), number(group)?.into());
        }
    }
    let groups: Result<Vec<u32>, _> = given.groups.iter().map(|group| group.parse::<u32>()).collect();
    let groups = groups.map_err(|_| "an additional group is no number")?;
    if let Some(user) = whole.get_mut("user").and_then(Value::as_object_mut).filter(|_| !groups.is_empty()) {
        let had = user.entry("additionalGids").or_insert_with(|| json!([]));
        had.as_array_mut().ok_or("`additionalGids` is no list")?.extend(groups.into_iter().map(Value::from));
    }
    if !given.capabilities.is_empty() {
        let sets = whole.entry("capabilities").or_insert_with(|| json!({}));
        let sets = sets.as_object_mut().ok_or("`capabilities` is no object")?;
        for set in ["bounding", "effective", "permitted"] {
            let set = sets.entry(set).or_insert_with(|| json!([]));
            set.as_array_mut()
                .ok_or("capabilities are no list")?
                .extend(given.capabilities.iter().map(|name| json!(name)));
        }
    }
    Ok(process)
}

/// What the container's own process has of variables that it gets later.
fn withheld(process: &Map<String, Value>) -> Vec<(String, String)> {
    let args = process.get("args").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    let request = args.skip_while(|word| *word != SEAL).nth(1);
    let request: Option<Request> = request.and_then(|text| serde_json::from_str(text).ok());
    request.unwrap_or_default().env
}
