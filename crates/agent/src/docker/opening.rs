//! What a container asks for beyond the sealed default: every way in which Docker lets it nearer to the host.
//!
//! The same fields open a host at `create`, `update` and, up to API 1.23, at `start`; and an old way of `create` takes them
//! outside of `HostConfig`. So they are looked for in any object.

use std::fmt;

use super::body::{Error, Value};

/// One of them, as settings write it: `network=host`, `capability=NET_ADMIN`, `mount=/srv/data`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Opening {
    pub name: &'static str,
    pub value: String,
    /// Where it stands in the request.
    pub field: &'static str,
}

impl fmt::Display for Opening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.value.is_empty() { f.write_str(self.name) } else { write!(f, "{}={}", self.name, self.value) }
    }
}

/// Namespaces that may be the host's.
const NAMESPACES: [(&str, &str); 6] = [
    ("NetworkMode", "network"),
    ("PidMode", "pid"),
    ("IpcMode", "ipc"),
    ("UTSMode", "uts"),
    ("UsernsMode", "userns"),
    ("CgroupnsMode", "cgroupns"),
];

/// Lists of strings, each an opening of that name.
const LISTS: [(&str, &str); 2] = [("CapAdd", "capability"), ("DeviceCgroupRules", "device-rule")];

/// Lists of paths that are masked unless an empty list says otherwise.
const MASKS: [&str; 2] = ["MaskedPaths", "ReadonlyPaths"];

/// What `security_opt` may say that closes something.
const CLOSING: [&str; 3] = ["no-new-privileges", "no-new-privileges:true", "no-new-privileges=true"];

/// What an object in the form of `HostConfig` opens.
pub fn of_host_config(config: &Value) -> Result<Vec<Opening>, Error> {
    let mut all = Vec::new();
    let mut add = |name, value: &str, field| all.push(Opening { name, value: value.to_owned(), field });
    if config.is_true("Privileged")? {
        add("privileged", "", "HostConfig.Privileged");
    }
    for (field, name) in NAMESPACES {
        if let Some(mode) = config.text(field)?.filter(|mode| *mode == "host") {
            add(name, mode, field);
        }
    }
    for (field, name) in LISTS {
        for value in config.texts(field)? {
            add(name, &capability(value), field);
        }
    }
    for option in config.texts("SecurityOpt")? {
        if !CLOSING.contains(&option) {
            add("security-opt", option, "HostConfig.SecurityOpt");
        }
    }
    for device in config.list("Devices")? {
        add("device", device.text("PathOnHost")?.unwrap_or_default(), "HostConfig.Devices");
    }
    for request in config.list("DeviceRequests")? {
        add("device-request", request.text("Driver")?.unwrap_or("any"), "HostConfig.DeviceRequests");
    }
    for field in MASKS {
        if config.get(field)?.is_some() && config.list(field)?.is_empty() {
            add("unmasked", field, "HostConfig");
        }
    }
    for (field, name) in [("Runtime", "runtime"), ("CgroupParent", "cgroup-parent")] {
        if let Some(value) = config.text(field)? {
            add(name, value, field);
        }
    }
    for (name, _) in config.map("Sysctls")? {
        add("sysctl", name, "HostConfig.Sysctls");
    }
    all.extend(of_mounts(config)?);
    Ok(all)
}

/// Folders of the host, as binds, as mounts, and as volumes that are such in truth.
fn of_mounts(config: &Value) -> Result<Vec<Opening>, Error> {
    let mut all = Vec::new();
    for bind in config.texts("Binds")? {
        let source = bind.split(':').next().unwrap_or_default();
        if source.starts_with('/') {
            all.push(mount(source, "HostConfig.Binds"));
        }
    }
    for one in config.list("Mounts")? {
        all.extend(of_mount(one, "HostConfig.Mounts")?);
    }
    let driver = config.text("VolumeDriver")?.filter(|driver| *driver != "local");
    all.extend(driver.map(|driver| Opening {
        name: "volume-driver",
        value: driver.to_owned(),
        field: "HostConfig.VolumeDriver",
    }));
    Ok(all)
}

fn of_mount(one: &Value, field: &'static str) -> Result<Vec<Opening>, Error> {
    match one.text("Type")?.unwrap_or("volume").to_ascii_lowercase().as_str() {
        "bind" | "npipe" => Ok(vec![mount(one.text("Source")?.unwrap_or_default(), field)]),
        "volume" => match one.at(&["VolumeOptions", "DriverConfig"])? {
            Some(driver) => of_driver(driver, "Name", "Options", field),
            None => Ok(Vec::new()),
        },
        "tmpfs" => Ok(Vec::new()),
        other => Ok(vec![Opening { name: "mount-type", value: other.to_owned(), field }]),
    }
}

/// A volume: the local driver mounts whatever its options say.
pub fn of_volume(volume: &Value) -> Result<Vec<Opening>, Error> {
    of_driver(volume, "Driver", "DriverOpts", "DriverOpts")
}

fn of_driver(of: &Value, name: &str, options: &str, field: &'static str) -> Result<Vec<Opening>, Error> {
    let mut all = Vec::new();
    if let Some(driver) = of.text(name)?.filter(|driver| *driver != "local") {
        all.push(Opening { name: "volume-driver", value: driver.to_owned(), field });
    }
    for (option, value) in of.map(options)? {
        // The driver compares them as they are; whoever writes `Device` gets an error from it.
        let Value::Text(value) = value else {
            return Err(Error::Kind { name: option.clone(), wanted: "a string" });
        };
        if option.eq_ignore_ascii_case("device") {
            let is_path = value.starts_with('/');
            all.push(if is_path {
                mount(value, field)
            } else {
                Opening { name: "volume-device", value: value.clone(), field }
            });
        }
    }
    Ok(all)
}

/// What the specification of a service opens.
pub fn of_service(service: &Value) -> Result<Vec<Opening>, Error> {
    let mut all = Vec::new();
    let Some(task) = service.get("TaskTemplate")? else { return Ok(all) };
    if let Some(runtime) = task.text("Runtime")?.filter(|runtime| *runtime != "container") {
        all.push(Opening { name: "runtime", value: runtime.to_owned(), field: "TaskTemplate.Runtime" });
    }
    for networks in [task.list("Networks")?, service.list("Networks")?] {
        for network in networks {
            if let Some(target) = network.text("Target")?.filter(|target| *target == "host") {
                all.push(Opening {
                    name: "network",
                    value: target.to_owned(),
                    field: "TaskTemplate.Networks",
                });
            }
        }
    }
    let Some(container) = task.get("ContainerSpec")? else { return Ok(all) };
    for one in container.list("Mounts")? {
        all.extend(of_mount(one, "TaskTemplate.ContainerSpec.Mounts")?);
    }
    for value in container.texts("CapabilityAdd")? {
        let field = "TaskTemplate.ContainerSpec.CapabilityAdd";
        all.push(Opening { name: "capability", value: capability(value), field });
    }
    for (name, _) in container.map("Sysctls")? {
        all.push(Opening {
            name: "sysctl",
            value: name.clone(),
            field: "TaskTemplate.ContainerSpec.Sysctls",
        });
    }
    if let Some(privileges) = container.get("Privileges")? {
        all.extend(of_privileges(privileges)?);
    }
    Ok(all)
}

/// Profiles that a service turns off or brings with it.
fn of_privileges(privileges: &Value) -> Result<Vec<Opening>, Error> {
    let field = "TaskTemplate.ContainerSpec.Privileges";
    let opening = |value: String| Opening { name: "security-opt", value, field };
    let mut all = Vec::new();
    if let Some(selinux) = privileges.get("SELinuxContext")?
        && selinux.is_true("Disable")?
    {
        all.push(opening("label=disable".to_owned()));
    }
    for (name, mode) in [("Seccomp", "seccomp"), ("AppArmor", "apparmor")] {
        let Some(profile) = privileges.get(name)? else { continue };
        if let Some(given) = profile.text("Mode")?.filter(|given| *given != "default") {
            all.push(opening(format!("{mode}={given}")));
        }
    }
    Ok(all)
}

fn mount(source: &str, field: &'static str) -> Opening {
    Opening { name: "mount", value: source.to_owned(), field }
}

/// Without the prefix, in capitals: the engine takes it either way.
fn capability(name: &str) -> String {
    let name = name.to_ascii_uppercase();
    name.strip_prefix("CAP_").map(str::to_owned).unwrap_or(name)
}
