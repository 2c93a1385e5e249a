//! Ways out of containers that other runtimes had, one by one, tried in ours, whoever makes them. Each says what closes it here.
//!
//! | | what was tried | what closes it |
//! |---|---|---|
//! | CVE-2019-5736 | the runtime's program written to by what it starts (`/proc/self/exe`) | Landlock: nothing in `/proc` is executed; it belongs to nobody inside |
//! | CVE-2019-16884 | a volume at `/proc`, so that settings there are the image's | refused in the plan |
//! | CVE-2019-19921, CVE-2023-28642 | an image whose `/proc` or `/sys` is a link | mounts are made within the root, on folders alone |
//! | CVE-2021-30465 | a mount within a volume, whose path is exchanged for a link meanwhile | mounts never leave the root; volumes have users who are nobody |
//! | CVE-2024-21626 | a working folder that is a descriptor of the runtime | nothing of the machine is open any more when it goes there |
//! | CVE-2025-31133 | masked paths covered with an image's `/dev/null` | `/dev` is the container's own memory, never the image's |
//! | CVE-2025-52565 | `/dev/console` bound over a path that is a link by then | there is no console |
//! | CVE-2025-52881 | labels and settings written to a `/proc` that is none | `/proc` is the kernel's; volumes there are refused |

use std::{fs, os::unix::fs::symlink};

use boltseal_testkit::peer;

use crate::{
    node::{Node, text},
    sealed::{Place, places},
};

/// Of files of the machine that no container may see.
const SECRET: &str = "only-the-machine-knows";

/// Something tried in an image, and what has to be said.
struct Tried {
    cve: &'static str,
    /// Changes the files of the image.
    image: fn(&Place),
    script: &'static str,
    said: &'static str,
}

const fn nothing(_: &Place) {}

const TRIED: &[Tried] = &[
    Tried {
        cve: "CVE-2019-5736",
        image: nothing,
        script: "for one in 1 self; do echo x >> /proc/$one/exe && echo ran; done; \
                 printf '#!/proc/self/exe\\n' > /tmp/s; chmod +x /tmp/s; /tmp/s && echo ran; /proc/self/exe true && echo ran",
        said: "Permission denied",
    },
    Tried {
        cve: "CVE-2023-28642",
        image: |place| {
            fs::remove_dir_all(place.root.join("proc")).unwrap();
            fs::create_dir_all(place.root.join("evil/proc")).unwrap();
            symlink("/evil/proc", place.root.join("proc")).unwrap();
        },
        // It may be refused, too.
        script: "cat /proc/kcore | wc -c; echo 1 > /proc/sys/kernel/panic && echo ran; echo 1 > /evil/proc/sys/kernel/panic && echo ran",
        said: "",
    },
    Tried {
        cve: "CVE-2019-19921",
        image: |place| {
            fs::remove_dir_all(place.root.join("sys")).unwrap();
            symlink("/proc", place.root.join("sys")).unwrap();
        },
        script: "echo x > /sys/kernel/uevent_helper && echo ran; echo 1 > /proc/sys/kernel/panic && echo ran",
        said: "",
    },
    Tried {
        cve: "CVE-2025-31133",
        image: |place| {
            fs::create_dir_all(place.root.join("dev")).unwrap();
            let _ = fs::remove_file(place.root.join("dev/null"));
            symlink("/proc/sys/kernel/core_pattern", place.root.join("dev/null")).unwrap();
        },
        script: "test -c /dev/null && echo device; cat /proc/kcore /proc/keys /proc/timer_list | wc -c; \
                 echo '|/x' > /proc/sys/kernel/core_pattern && echo ran",
        said: "\n0\n",
    },
    Tried {
        cve: "CVE-2025-52565",
        image: nothing,
        script: "test -e /dev/console && echo ran; grep ' /dev/console ' /proc/self/mountinfo && echo ran; echo none",
        said: "none",
    },
    Tried {
        cve: "CVE-2025-52881",
        image: nothing,
        script: "grep -c ' /proc .* - proc proc ' /proc/self/mountinfo; grep ' /proc/self\\| /proc/1' /proc/self/mountinfo && echo ran; \
                 mount -t tmpfs none /proc && echo ran; ln -s /proc/sys/kernel/core_pattern /proc/self/attr/x && echo ran",
        said: "1\n",
    },
];

#[test]
fn ways_out_of_other_runtimes() {
    let mut wrong = Vec::new();
    for place in places() {
        for one in TRIED {
            // Each with an image of its own.
            let before = place.kept();
            (one.image)(&place);
            match place.start(one.cve, (0, 0), one.script) {
                Ok(container) => {
                    container.wait();
                    let said = container.said();
                    if !said.contains(one.said) || said.lines().any(|line| line == "ran") {
                        wrong.push(format!("{} by {}: {said}", one.cve, place.by()));
                    }
                }
                // Nothing runs then.
                Err(why) if one.said.is_empty() => assert!(why.contains("Refused"), "{why}"),
                Err(why) => wrong.push(format!("{} by {}: {why}", one.cve, place.by())),
            }
            place.put_back(&before);
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// CVE-2024-21626: the runtime's descriptors as the folder to start in.
#[test]
fn folders_that_are_descriptors() {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), SECRET).unwrap();
    fs::set_permissions(file.path(), std::os::unix::fs::PermissionsExt::from_mode(0o644)).unwrap();
    let above = "../".repeat(12);
    let script = format!("pwd; cat {above}{}; cat {above}etc/os-release; ls", file.path().display());
    for place in places() {
        let long = place.start("long", (0, 0), "sleep 1000").unwrap();
        let plain = place.start_as("plain", (0, 0), &["/bin/sh", "-c", &script], "/tmp").unwrap();
        plain.wait();
        assert!(plain.said().starts_with("/tmp\n"), "what was tried is told: {}", plain.said());
        for number in 0..16 {
            let folder = format!("/proc/self/fd/{number}");
            if let Ok(container) =
                place.start_as(&format!("fd-{number}"), (0, 0), &["/bin/sh", "-c", &script], &folder)
            {
                container.wait();
                let said = container.said();
                // Where it starts at all, all that it sees is its own root.
                assert!(!said.contains(SECRET), "{folder} by {}: {said}", place.by());
                assert!(!said.contains("ID=debian"), "{folder} by {}: {said}", place.by());
            }
            let (_, said) = long.join_as(None, &["/bin/sh", "-c", &script], Some(&folder));
            assert!(!said.contains(SECRET) && !said.contains("ID=debian"), "{folder} joined: {said}");
        }
    }
}

/// CVE-2019-5736, where the image's own program is the runtime's.
#[test]
fn a_command_that_is_the_runtime_itself() {
    for place in places() {
        for program in ["/proc/self/exe", "/proc/1/exe", "/dev/boltseal/boltseal"] {
            let name = program.replace('/', "-");
            let container = place.start_as(&name, (0, 0), &[program, "version"], "/").unwrap();
            assert!([126, 127].contains(&container.wait().code()), "{program} by {}", place.by());
            let said = container.said();
            assert!(said.contains("cannot be run"), "{program} by {}: {said}", place.by());
        }
        let long = place.start("sleeps", (0, 0), "sleep 1000").unwrap();
        let (code, said) = long.join_as(None, &["/proc/self/exe", "version"], None);
        assert!(code == Some(126) && said.contains("cannot be run"), "{code:?}: {said}");
    }
}

/// CVE-2021-30465: a mount within a volume that another container of the group has, which puts a link there.
#[test]
fn a_mount_whose_path_is_a_link_by_then() {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), SECRET).unwrap();
    fs::set_permissions(file.path(), std::os::unix::fs::PermissionsExt::from_mode(0o644)).unwrap();
    for (by, runtime) in [("own", &[][..]), ("runc", &["--runtime", "runc"])] {
        if by == "runc" && peer("runc").is_none() {
            continue;
        }
        let Some(node) = Node::with(runtime) else { return };
        for (number, link) in
            ["/", "../../../../../../../..", "/proc/1/root", "/proc/self/fd/7"].into_iter().enumerate()
        {
            let name = format!("links-{number}");
            let group = format!(
                r"
type: Microsoft.ContainerInstance/containerGroups
name: {name}
properties:
  osType: Linux
  restartPolicy: Never
  volumes: [{{name: one, emptyDir: {{}}}}, {{name: two, emptyDir: {{}}}}]
  initContainers:
  - name: first
    properties: {{image: alpine, command: [/bin/ln, -s, '{link}', /data/x], volumeMounts: [{{name: one, mountPath: /data}}]}}
  containers:
  - name: web
    properties:
      image: alpine
      command: [/bin/sh, -c, 'echo began; ls -a / /data /data/x; for up in / /data/x /data/x/..; do cat $up{secret} $up/etc/os-release; done; echo x > /data/x{secret}']
      volumeMounts: [{{name: one, mountPath: /data}}, {{name: two, mountPath: /data/x}}]
",
                secret = file.path().display(),
            );
            let ran = node.run(&group, &["--allow-unverified"]);
            // It may not start; what it sees and changes where it does is its own.
            if ran.status.success() {
                node.until(&name, |group| {
                    group["containers"][1]["ended"]["code"].is_number() || group["state"] != "running"
                });
            }
            let said = text(&node.command(&["logs", &format!("{name}/web")]).stdout) + &text(&ran.stderr);
            assert!(!said.contains(SECRET) && !said.contains("ID=debian"), "{link} by {by}: {said}");
            assert_eq!(fs::read_to_string(file.path()).unwrap(), SECRET, "{link} by {by}");
            node.command(&["rm", "--force", &name]);
            assert_eq!(node.left(&name), Vec::<String>::new(), "{link} by {by}");
        }
    }
}
