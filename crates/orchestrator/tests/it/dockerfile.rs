//! Dockerfiles: how they are read, what each check says, and other people's examples.

use std::{fs, path::Path};

use boltseal_orchestrator::{
    checks::{self, Options},
    dockerfile::{Dockerfile, is_name},
    document::{self, At},
    fix,
    pss::{Level, Version},
    read,
};

/// Lines on which a check says something.
fn lines(id: &str, text: &str) -> Vec<u32> {
    assert!(checks::by_id(id).is_some(), "no check is called {id}");
    let read = read("Dockerfile", text.as_bytes()).unwrap();
    let options = Options { level: Level::Restricted, version: Version::LATEST };
    let all = checks::run(&read, options);
    all.iter().filter(|one| one.id == id).map(|one| one.line).collect()
}

#[test]
fn names() {
    for (name, expected) in [
        ("Dockerfile", true),
        ("a/b/Dockerfile.dev", true),
        ("web.Dockerfile", true),
        ("web.dockerfile", true),
        ("Containerfile", true),
        ("Dockerfile-arm", true),
        ("Dockerfile.dockerignore", false),
        ("MyDockerfile", false),
        ("Dockerfiles/web.yaml", false),
        ("dockerfile.rs", true),
    ] {
        assert_eq!(is_name(name), expected, "{name}");
    }
}

#[test]
fn reading() {
    let text = "\
# escape=`
# a comment
arg V=12
ARG W
from --platform=$BUILDPLATFORM debian:${V}-slim as Base

RUN echo a `
    # a comment between
    b `

    c
FROM base
FROM alpine:$W
FROM x:${Z:-3}
RUN <<-\"EOF\" sh
\tapt-get update
\tEOF
COPY <<one <<two /etc/
1
one
2
two
CMD [\"a\", \"b c\"]
";
    let file = Dockerfile::read("Dockerfile", text.as_bytes()).unwrap();
    let images: Vec<_> = file.stages.iter().map(|stage| stage.image.known().map(String::as_str)).collect();
    assert_eq!(images, [Some("debian:12-slim"), Some("base"), None, Some("x:3")]);
    assert_eq!(file.stages[0].name.as_deref(), Some("base"));
    assert_eq!((file.stages[1].on, file.stages[2].on), (Some(0), None));
    assert!(file.stages[2].image.unknown().unwrap().contains("alpine:$W depends on W"));
    let echo = file.all("RUN").next().unwrap();
    assert_eq!((echo.line, echo.words()), (7, ["echo", "a", "b", "c"].map(str::to_owned).to_vec()));
    let documents: Vec<&[String]> = file.instructions.iter().map(|one| one.documents.as_slice()).collect();
    assert!(documents.iter().any(|all| *all == ["apt-get update\n".to_owned()]), "{documents:?}");
    assert!(documents.iter().any(|all| *all == ["1\n".to_owned(), "2\n".to_owned()]), "{documents:?}");
    assert_eq!(file.all("CMD").next().unwrap().exec().unwrap(), ["a", "b c"]);
    for (text, line, why) in [
        ("", 1, "there is no FROM"),
        ("FROM a\nHELLO\n", 2, "`HELLO` is no instruction"),
        ("FROM a\n\nRUN a \\\n b\n<EOF\n", 5, "no instruction"),
    ] {
        let wrong = Dockerfile::read("x", text.as_bytes()).unwrap_err().to_string();
        assert!(wrong.starts_with(&format!("line {line}: ")) && wrong.contains(why), "{text}: {wrong}");
    }
    assert_eq!(Dockerfile::read("x", b"FROM a\n\xff").unwrap_err().to_string(), "line 2: not UTF-8");
}

#[test]
fn commands() {
    let of = |text: &str| {
        let file = Dockerfile::read("x", format!("FROM a\nRUN {text}").as_bytes()).unwrap();
        let commands = file.instructions[1].commands();
        commands
            .iter()
            .map(|one| format!("{}{}", if one.piped { "|" } else { "" }, one.words.join(" ")))
            .collect::<Vec<_>>()
    };
    for (text, expected) in [
        ("a b && c", &["a b", "c"][..]),
        ("a 'b && c' \"d;\\\"e\"", &["a b && c d;\"e"]),
        ("A=1 B='x y' a; export C=2", &["a", "export"]),
        ("a 2>&1 | b |& c || d & e", &["a 2>&1", "|b", "|c", "d", "e"]),
        ("if a; then b; fi", &["a", "b", "fi"]),
        ("( a; b ) # c && d", &["a", "b"]),
        ("sh -c 'a && b'", &["sh -c a && b", "a", "b"]),
        ("[\"sh\", \"-ec\", \"a | b\"]", &["sh -ec a | b", "a", "|b"]),
        ("[\"a\", \"&&\"]", &["a &&"]),
        ("x \"$(curl y)\"", &["x $(curl y)"]),
        ("'unfinished && a", &["unfinished && a"]),
    ] {
        assert_eq!(of(text), expected, "{text}");
    }
}

/// The check, a Dockerfile, and the lines on which it says something.
#[test]
fn checks_say_where() {
    for (id, text, expected) in [
        ("build-base-tag", "FROM a\nFROM b:latest AS x\nFROM x\nFROM scratch\nFROM c:1", &[1, 2][..]),
        ("build-base-tag", "ARG V\nFROM a:$V", &[2]),
        ("build-base-digest", "FROM a\nFROM b:1 AS b\nFROM b\nFROM A B", &[2, 4]),
        ("build-stage-name", "FROM a AS x\nFROM b AS X\nFROM c", &[2]),
        ("build-root", "FROM a", &[1]),
        ("build-root", "FROM a\nUSER me\nUSER 0:0", &[3]),
        ("build-root", "FROM a AS x\nUSER 10001\nFROM x\nRUN b", &[]),
        ("build-root", "FROM a AS x\nUSER 10001\nFROM b\nUSER $U", &[4]),
        ("build-root", "FROM a\nUSER root\nRUN b\nUSER app:app", &[]),
        (
            "build-sudo",
            "FROM a\nRUN sudo b\nRUN echo sudo\nRUN x && /usr/bin/sudo y\nCMD [\"sudo\", \"z\"]",
            &[2, 4, 5],
        ),
        (
            "build-setuid",
            "FROM a\nRUN chmod u+s b\nRUN chmod 4755 b\nRUN chmod 0755 b\nRUN chmod u+x s\nCOPY --chmod=6755 a b",
            &[2, 3, 6],
        ),
        (
            "build-secret",
            "FROM a\nENV DB_PASSWORD=x B=1\nENV TOKEN_FILE=/run/x\nENV API_KEY $K\nARG NPM_TOKEN\nENV A ghp_abc\nENV SECRET=",
            &[2, 5, 6],
        ),
        (
            "build-add-url",
            "FROM a\nADD https://x/y /z\nADD --checksum=sha256:0 https://x/y /z\nADD a.tar /\nADD https://g/r.git#main /r",
            &[2, 5],
        ),
        (
            "build-add",
            "FROM a\nADD b /c\nADD b.tar.gz /c\nADD https://x/y /z\nADD [\"b c\", \"/d\"]",
            &[2, 5],
        ),
        (
            "build-copy-folder",
            "FROM a\nCOPY b c d\nCOPY b c d/\nCOPY b c\nCOPY [\"a\", \"b\", \"c\"]\nCOPY b c .",
            &[2, 5],
        ),
        (
            "build-pipe-to-shell",
            "FROM a\nRUN curl x | sh\nRUN wget -qO- x | tee y | sudo -E bash -\nRUN curl x > y; sh z\nRUN sh -c \"$(curl x)\"\nRUN curl x | tar x",
            &[2, 3, 5],
        ),
        (
            "build-pipe-to-shell",
            "FROM a\nRUN bash <(curl x)\nRUN curl x | python3 -\nRUN [\"sh\", \"-c\", \"curl x | sh\"]",
            &[3, 4],
        ),
        (
            "build-unverified",
            "FROM a\nRUN curl -fsSLk x\nRUN curl -ok x\nRUN wget --no-check-certificate x\nENV NODE_TLS_REJECT_UNAUTHORIZED=0\nRUN git -c http.sslVerify=false clone x\nRUN npm config set strict-ssl false\nRUN apt-get -y --force-yes install x",
            &[2, 4, 5, 6, 7, 8],
        ),
        (
            "build-update-alone",
            "FROM a\nRUN apt-get update\nRUN apt-get update && apt-get install -y b\nRUN apk update && apk add b\nRUN yum update",
            &[2],
        ),
        (
            "build-package-cache",
            "FROM a\nRUN apt-get install b\nRUN apt-get install b && rm -rf /var/lib/apt/lists/*\nRUN apk add b\nRUN apk add --no-cache b\nRUN --mount=type=cache,target=/x apt-get install b\nRUN dnf install b && dnf clean all",
            &[2, 4],
        ),
        ("build-apt", "FROM a\nRUN apt install b\nRUN apt-get install apt", &[2]),
        ("build-ssh", "FROM a\nEXPOSE 80 22/tcp\nEXPOSE 2222", &[2]),
        ("build-port", "FROM a\nEXPOSE 65536\nEXPOSE 0\nEXPOSE 65535 $P", &[2, 3]),
        ("build-no-healthcheck", "FROM a AS x\nHEALTHCHECK NONE\nFROM x", &[]),
        ("build-no-healthcheck", "FROM a AS x\nHEALTHCHECK NONE\nFROM b", &[3]),
        ("build-twice", "FROM a\nCMD b\nFROM c\nCMD d\nCMD e", &[5]),
        ("build-maintainer", "FROM a\nMAINTAINER me", &[2]),
        ("build-workdir", "FROM a\nWORKDIR /a\nWORKDIR b\nWORKDIR $C\nWORKDIR c:\\\\d", &[3]),
    ] {
        assert_eq!(lines(id, text), expected, "{id}:\n{text}");
    }
}

/// What comes from other images, and what happens later.
#[test]
fn checks_look_behind_from_and_onbuild() {
    for (id, text, expected) in [
        (
            "build-base-tag",
            "FROM a:1 AS x\nCOPY --from=x a b\nCOPY --from=0 a b\nCOPY --from=c:latest a b\nRUN --mount=type=bind,from=d e\nCOPY --from=X a b\nCOPY --from=e:1 a b\nONBUILD COPY --from=f a b",
            &[4, 5, 8][..],
        ),
        (
            "build-base-digest",
            "FROM a@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\nCOPY --from=e:1 a b",
            &[2],
        ),
        (
            "build-pipe-to-shell",
            "FROM a\nONBUILD RUN curl x | sh\nRUN echo \"a <<EOF\"\nRUN curl x | sh",
            &[2, 4],
        ),
        ("build-root", "FROM a\nUSER me\nONBUILD USER root", &[]),
    ] {
        assert_eq!(lines(id, text), expected, "{id}:\n{text}");
    }
}

/// A document without an end would hide whatever comes after it.
#[test]
fn what_is_no_dockerfile() {
    for (text, why) in [
        ("FROM a\nRUN <<EOF\ncurl x | sh\nUSER root\n", "line 2: the here-document `EOF` has no end"),
        ("FROM a\nONBUILD FROB x\n", "line 2: `FROB` is no instruction"),
        ("FROM a\nONBUILD RUN <<EOF\n", "line 2: the here-document `EOF` has no end"),
    ] {
        assert_eq!(Dockerfile::read("Dockerfile", text.as_bytes()).unwrap_err().to_string(), why, "{text}");
    }
    let text = "FROM a\nRUN echo 'it''s <<A' \"<<B \\\" <<C\" \\\" <<D\nx\nD\nUSER me\n";
    let read = Dockerfile::read("Dockerfile", text.as_bytes()).unwrap();
    assert_eq!(read.instructions[1].documents, ["x\n"]);
}

/// Whoever mends checks again: what was mended is not said any more, and nothing else is.
#[test]
fn mends() {
    let text = "\
FROM debian:12
MAINTAINER Ada <ada@example.com>
add a /b
ADD a.tar /b
RUN apt update && \\
    # apt install is for people
    apt install -y x/apt install-y; echo \"apt install\"
RUN apk add curl && apk add --no-cache git
USER 1
";
    let found = |text: &str| {
        let read = read("Dockerfile", text.as_bytes()).unwrap();
        checks::run(&read, Options { level: Level::Restricted, version: Version::LATEST })
    };
    let before = found(text);
    let edits = fix::edits(text, &before);
    let after = fix::applied(text, &edits);
    for line in [
        "LABEL org.opencontainers.image.authors=\"Ada <ada@example.com>\"",
        "COPY a /b",
        "ADD a.tar /b",
        "RUN apt-get update && \\",
        "    apt-get install -y x/apt install-y; echo \"apt install\"",
        "RUN apk add --no-cache curl && apk add --no-cache git",
    ] {
        assert!(after.lines().any(|one| one == line), "{line} is missing in:\n{after}");
    }
    let ids = |all: &[checks::Finding]| all.iter().map(|one| one.id).collect::<Vec<_>>();
    let kept: Vec<_> = ids(&before)
        .into_iter()
        .filter(|id| !["build-add", "build-maintainer", "build-apt"].contains(id))
        .collect();
    let left = ids(&found(&after));
    assert!(left.iter().all(|id| kept.contains(id)), "{left:?} of {kept:?}");
    assert!(fix::diff("Dockerfile", text, &edits).contains("-add a /b\n+COPY a /b\n"));
}

/// Which of our checks says what a check of somebody else says.
const COVERED: [(&str, &str); 25] = [
    ("example_AliasIsUnique", "build-stage-name"),
    ("example_ExposePort22", "build-ssh"),
    ("example_RootUser", "build-root"),
    ("example_RunUsingAPT", "build-apt"),
    ("example_UpdateNotAlone", "build-update-alone"),
    ("example_UserExists", "build-root"),
    ("EnvNpmConfigStrictSsl", "build-unverified"),
    ("EnvPipTrustedHost", "build-unverified"),
    ("RunAptGetForceYes", "build-unverified"),
    ("RunPipTrustedHost", "build-unverified"),
    ("RunUnsafeCurl", "build-unverified"),
    ("RunUsingSudo", "build-sudo"),
    ("docker-add_instead_of_copy.yaml", "build-add"),
    ("docker-copy_with_more_than_two_arguments_not_ending_with_slash.yaml", "build-copy-folder"),
    ("docker-latest_tag.yaml", "build-base-tag"),
    ("docker-maintainer_is_deprecated.yaml", "build-maintainer"),
    ("docker-missing_zypper_clean.yaml", "build-package-cache"),
    ("docker-multiple_entrypoint_instructions_listed.yaml", "build-twice"),
    ("docker-multiple_healthcheck_instructions.yaml", "build-twice"),
    ("docker-root_user.yaml", "build-root"),
    ("docker-run_using_sudo.yaml", "build-sudo"),
    ("docker-unix_ports_out_of_range.yaml", "build-port"),
    ("docker-update_instruction_alone.yaml", "build-update-alone"),
    // Folders above examples.
    ("checks", ""),
    ("resources", ""),
];

/// Samples that differ, and why.
const KNOWN: [(&str, &str); 1] = [(
    "example_UpdateNotAlone/failure/Dockerfile",
    "its last line is `~`, so it is no Dockerfile, and said to be none",
)];

#[test]
fn other_peoples_examples() {
    let Some(folder) = boltseal_testkit::shared("data/spec-checks") else { return };
    let mut samples = Vec::new();
    checkov(&folder.join("checkov-dockerfile"), "", &mut samples);
    let mut files: Vec<_> =
        fs::read_dir(folder.join("trivy-checks")).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.file_name().unwrap().to_str().unwrap().starts_with("docker-"));
    for path in files {
        trivy(&path, &mut samples);
    }
    let mut right = 0;
    for (rule, name, text, bad) in &samples {
        let id = COVERED
            .iter()
            .find(|(known, _)| known == rule)
            .unwrap_or_else(|| panic!("{rule} is not covered"))
            .1;
        let same = read("Dockerfile", text.as_bytes()).is_ok() && lines(id, text).is_empty() != *bad;
        let known = KNOWN.iter().any(|(known, _)| name.ends_with(known));
        assert!(same != known, "{name} ({id}): theirs {bad}\n{text}");
        right += usize::from(same);
    }
    println!("Dockerfiles: {right} of {} samples are as theirs", samples.len());
    assert_eq!(samples.len(), 66, "samples come and go only with the data");
}

type Sample = (String, String, String, bool);

/// `RULE/fail/Dockerfile`, with folders above.
fn checkov(folder: &Path, rule: &str, samples: &mut Vec<Sample>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if !path.is_dir() {
            let text = fs::read_to_string(&path).unwrap();
            let kind = folder.file_name().unwrap().to_str().unwrap();
            samples.push((rule.to_owned(), path.display().to_string(), text, kind.starts_with("fail")));
        } else if name.starts_with("fail") || name.starts_with("pass") || name.starts_with("success") {
            checkov(&path, rule, samples);
        } else {
            checkov(&path, name, samples);
        }
    }
}

fn trivy(path: &Path, samples: &mut Vec<Sample>) {
    let rule = path.file_name().unwrap().to_str().unwrap();
    let documents = document::read(&fs::read(path).unwrap()).unwrap();
    let top = At::top(documents.first().unwrap());
    for (key, bad) in [("good", false), ("bad", true)] {
        for (index, item) in top.down(&["dockerfile", key]).items().iter().enumerate() {
            let text = item.word().unwrap().to_owned();
            samples.push((rule.to_owned(), format!("{rule} {key} {index}"), text, bad));
        }
    }
}
