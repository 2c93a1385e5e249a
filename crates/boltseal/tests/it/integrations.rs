//! `integrations/`: each file is read as its CI reads it, and what it runs is run, in a fresh folder.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;

use crate::{
    binary::User,
    fixtures::{alpine, current_feeds, layout},
};

/// Refuses what is exploited; gaps are warnings, because the real clock goes on.
const POLICY: &str = "version: 1\nname: ci\nrules:\n  - name: known-exploited\n    effect: deny\n    \
    vulnerabilities: { kev: true }\n  - name: no-feeds\n    effect: unknown\n    coverage: { gaps: [feed-missing] }\n  \
    - name: complete\n    effect: warn\n    coverage: {}\n";

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../integrations").canonicalize().unwrap()
}

fn yaml(name: &str) -> Value {
    serde_saphyr::from_str(&fs::read_to_string(folder().join(name)).unwrap()).unwrap()
}

/// A project with two images and a policy, for somebody with current feeds.
struct Project {
    user: User,
}

struct Ended {
    code: i32,
    out: String,
    err: String,
}

impl Project {
    fn new() -> Self {
        let user = User::new();
        current_feeds(&user);
        layout(&user, "bad", &alpine("1.36.1-r0"));
        layout(&user, "good", &alpine("1.36.1-r2"));
        user.write("policy.yaml", POLICY);
        Self { user }
    }

    /// Runs `script` as a shell of the CI would, with nothing of our own environment.
    fn run(&self, shell: &str, script: &str, env: &[(String, String)]) -> Ended {
        let mut command = Command::new(shell);
        command.args(["-c", script]).env_clear().current_dir(self.user.home()).env("HOME", self.user.home());
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.envs(env.iter().map(|(key, value)| (key, value)));
        let output = command.output().unwrap();
        Ended {
            code: output.status.code().unwrap(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.user.home().join(name)).unwrap_or_else(|wrong| panic!("{name}: {wrong}"))
    }

    fn exists(&self, name: &str) -> bool {
        self.user.home().join(name).exists()
    }

    /// `gate.sh` by itself, with these variables besides.
    fn script(&self, env: &[(&str, &str)]) -> Ended {
        let mut all = own(&[("BOLTSEAL_BINARY", env!("CARGO_BIN_EXE_boltseal")), ("BOLTSEAL_FEEDS", "none")]);
        all.extend(own(env));
        self.run("sh", &format!("sh '{}'", folder().join("gate.sh").display()), &all)
    }
}

fn own(env: &[(&str, &str)]) -> Vec<(String, String)> {
    env.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

/// The `env` of a step, with the CI's expressions replaced by what `value` says about the input.
fn step_env(step: &Value, before: &str, value: &dyn Fn(&str) -> String) -> Vec<(String, String)> {
    let env = step["env"].as_object().unwrap();
    env.iter()
        .map(|(key, text)| {
            let text = text.as_str().unwrap();
            let input = text.strip_prefix("${{ ").and_then(|text| text.strip_suffix(" }}"));
            let value =
                input.map_or_else(|| text.to_owned(), |input| value(input.strip_prefix(before).unwrap()));
            (key.clone(), value)
        })
        .collect()
}

#[test]
fn the_action_on_github() {
    let action = yaml("github/action.yml");
    assert_eq!(action["runs"]["using"], "composite");
    let step = &action["runs"]["steps"][0];
    let script = step["run"].as_str().unwrap();
    assert!(!script.contains("${{"), "values in the script itself would be read as shell: {script}");
    for (name, output) in action["outputs"].as_object().unwrap() {
        assert_eq!(output["value"], format!("${{{{ steps.gate.outputs.{name} }}}}"));
    }
    let project = Project::new();
    let run = |target: &str, more: &[(&str, &str)]| {
        let input = |name: &str| {
            let given = match name {
                "target" => target,
                "policy" => "policy.yaml",
                "feeds" => "none",
                "binary" => env!("CARGO_BIN_EXE_boltseal"),
                _ => more.iter().find(|(key, _)| *key == name).map_or("", |(_, value)| value),
            };
            let default = action["inputs"][name]["default"].as_str().unwrap_or_default();
            if given.is_empty() { default.to_owned() } else { given.to_owned() }
        };
        let mut env = step_env(step, "inputs.", &input);
        let (summary, output) = (project.user.write("summary.md", ""), project.user.write("output", ""));
        let action_path = folder().join("github").display().to_string();
        env.extend(own(&[
            ("GITHUB_ACTIONS", "true"),
            ("CI", "true"),
            ("GITHUB_ACTION_PATH", &action_path),
            ("GITHUB_STEP_SUMMARY", &summary),
            ("GITHUB_OUTPUT", &output),
        ]));
        project.run("sh", script, &env)
    };

    let ran = run("oci:bad", &[]);
    assert_eq!(ran.code, 1, "{}{}", ran.out, ran.err);
    let lines: Vec<&str> = ran.out.lines().collect();
    let token = lines[0].strip_prefix("::stop-commands::").unwrap();
    assert!(token.len() == 32 && token.bytes().all(|byte| byte.is_ascii_hexdigit()), "{token}");
    let resumed = lines.iter().position(|line| *line == format!("::{token}::")).unwrap();
    assert!(lines[1..resumed].iter().any(|line| line.contains("DENY")), "{}", ran.out);
    assert!(
        lines[resumed + 1].starts_with("::error title=deny%3A known-exploited::CVE-2023-42366"),
        "{}",
        ran.out
    );
    assert!(lines[resumed + 1..].iter().all(|line| line.starts_with("::")), "{}", ran.out);
    assert!(project.read("summary.md").starts_with("## Boltseal: denied\n"));
    let output = project.read("output");
    for line in ["exit-code=1", "result=denied", "sarif=boltseal-reports/boltseal.sarif"] {
        assert!(output.lines().any(|one| one == line), "no {line} in {output}");
    }
    let sarif: Value = serde_json::from_str(&project.read("boltseal-reports/boltseal.sarif")).unwrap();
    assert_eq!(sarif["version"], "2.1.0");
    assert!(!sarif["runs"][0]["results"].as_array().unwrap().is_empty());

    let ran = run("oci:good", &[]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    assert!(!ran.out.contains("::error"), "{}", ran.out);
    let ran = run("oci:bad", &[("against", "oci:bad")]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    project.user.write("seen", "CVE-2023-42366 seen\n");
    project.user.write("no need", "CVE-1\n");
    let ran = run("oci:bad", &[("ignore-files", "seen\nno need\n")]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);

    // No answer: an error, no outputs that lead nowhere, nothing left of the run before.
    let ran = run("oci:none", &[]);
    assert_eq!(ran.code, 3, "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("::error title=Boltseal::no answer, exit code 3"), "{}", ran.out);
    assert!(!project.read("output").contains("sarif="), "{}", project.read("output"));
    assert!(!project.exists("boltseal-reports/boltseal.sarif"));
    // What looks like shell is a name.
    let ran = run("oci:$(touch owned)`touch owned`; touch owned", &[]);
    assert!(ran.code == 3 && !project.exists("owned"), "{}{}", ran.out, ran.err);
}

#[test]
fn the_template_of_gitlab() {
    let template = yaml("gitlab/boltseal.gitlab-ci.yml");
    let job = &template["boltseal"];
    let project = Project::new();
    let gate = folder().join("gate.sh").display().to_string();
    let run = |target: &str| {
        let variables = job["variables"].as_object().unwrap();
        let mut env: Vec<(String, String)> =
            variables.iter().map(|(key, value)| (key.clone(), value.as_str().unwrap().to_owned())).collect();
        env.extend(own(&[
            ("GITLAB_CI", "true"),
            ("CI", "true"),
            ("BOLTSEAL_GATE", &gate),
            ("BOLTSEAL_TARGET", target),
            ("BOLTSEAL_POLICY", "policy.yaml"),
            ("BOLTSEAL_FEEDS", "none"),
            ("BOLTSEAL_BINARY", env!("CARGO_BIN_EXE_boltseal")),
        ]));
        project.run("sh", job["script"][0].as_str().unwrap(), &env)
    };
    let ran = run("oci:bad");
    assert_eq!(ran.code, 1, "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("DENY"), "{}", ran.out);
    let reports = job["artifacts"]["reports"].as_object().unwrap();
    assert_eq!(reports.len(), 3);
    for path in reports.values() {
        assert!(!project.read(path.as_str().unwrap()).is_empty());
    }
    let scanning: Value =
        serde_json::from_str(&project.read(reports["container_scanning"].as_str().unwrap())).unwrap();
    assert_eq!(scanning["vulnerabilities"][0]["identifiers"][0]["value"], "CVE-2023-42366");
    let quality: Value =
        serde_json::from_str(&project.read(reports["codequality"].as_str().unwrap())).unwrap();
    assert!(quality.as_array().unwrap().len() >= 2);
    assert!(project.read(reports["junit"].as_str().unwrap()).contains("<failure type=\"deny\""));
    assert_eq!(run("oci:good").code, 0);
}

#[test]
fn the_template_of_azure_pipelines() {
    let template = yaml("azure/boltseal.yml");
    let parameters = template["parameters"].as_array().unwrap();
    let step = &template["steps"][0];
    assert_eq!(step["name"], "boltseal");
    let project = Project::new();
    let gate = folder().join("gate.sh").display().to_string();
    let run = |target: &str| {
        let parameter = |name: &str| match name {
            "target" => target.to_owned(),
            "policy" => "policy.yaml".to_owned(),
            "feeds" => "none".to_owned(),
            "binary" => env!("CARGO_BIN_EXE_boltseal").to_owned(),
            "script" => gate.clone(),
            _ => {
                let known = parameters.iter().find(|one| one["name"] == name).unwrap();
                known["default"].as_str().unwrap().to_owned()
            }
        };
        let mut env = step_env(step, "parameters.", &parameter);
        env.extend(own(&[("TF_BUILD", "True")]));
        project.run("bash", step["bash"].as_str().unwrap(), &env)
    };
    let ran = run("oci:bad");
    assert_eq!(ran.code, 1, "{}{}", ran.out, ran.err);
    let issue = "##vso[task.logissue type=error;code=known-exploited;]deny: known-exploited: CVE-2023-42366";
    assert!(ran.out.lines().any(|line| line.starts_with(issue)), "{}", ran.out);
    let commands: Vec<&str> = ran.out.lines().filter(|line| line.contains("##")).collect();
    assert!(commands.iter().all(|line| line.starts_with("##vso[task.")), "{commands:?}");
    let summary = commands.iter().find_map(|line| line.strip_prefix("##vso[task.uploadsummary]")).unwrap();
    assert!(fs::read_to_string(summary).unwrap().starts_with("## Boltseal: denied\n"));
    assert!(
        ran.out.ends_with("##vso[task.setvariable variable=result;isOutput=true]denied\n"),
        "{}",
        ran.out
    );
    let results = template["steps"][1]["inputs"]["testResultsFiles"].as_str().unwrap();
    assert!(project.read(results).contains("<failure type=\"deny\""));
    assert!(project.exists(template["steps"][2]["publish"].as_str().unwrap()));
    let ran = run("oci:good");
    assert!(ran.code == 0 && !ran.out.contains("type=error"), "{}{}", ran.out, ran.err);
}

#[test]
fn the_script_by_itself() {
    let project = Project::new();
    let ran = project.script(&[("BOLTSEAL_TARGET", "oci:bad"), ("BOLTSEAL_POLICY", "policy.yaml")]);
    assert!(ran.code == 1 && ran.out.contains("DENY") && !ran.out.contains("::"), "{}{}", ran.out, ran.err);
    for report in ["boltseal.txt", "boltseal.json", "boltseal.sarif", "boltseal.xml", "boltseal.md"] {
        assert!(project.exists(&format!("boltseal-reports/{report}")), "{report}");
    }
    let ran = project.script(&[]);
    assert!(ran.code == 2 && ran.err.contains("set BOLTSEAL_TARGET"), "{}", ran.err);
    let ran = project.script(&[("BOLTSEAL_TARGET", "oci:bad"), ("BOLTSEAL_BINARY", "no-such-program")]);
    assert!(ran.code == 2 && ran.err.contains("not on PATH"), "{}", ran.err);
    let ran = project.script(&[("BOLTSEAL_TARGET", "oci:bad"), ("BOLTSEAL_POLICY", "none.yaml")]);
    assert!(ran.code == 2 && ran.err.contains("none.yaml"), "{}", ran.err);
    // Feeds that are files are imported first.
    let fresh = Project { user: User::new() };
    layout(&fresh.user, "bad", &alpine("1.36.1-r0"));
    fresh.user.write("policy.yaml", POLICY);
    let feeds = crate::fixtures::feeds(&fresh.user).join("\n");
    let env = [("BOLTSEAL_TARGET", "oci:bad"), ("BOLTSEAL_POLICY", "policy.yaml")];
    assert_eq!(fresh.script(&env).code, 3);
    assert_eq!(fresh.script(&[&env[..], &[("BOLTSEAL_FEEDS", &feeds)]].concat()).code, 1);
}
