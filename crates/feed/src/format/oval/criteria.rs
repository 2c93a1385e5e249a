//! A definition's tree of criteria as a list of facts about packages, each with its release, module and CPU.

use std::rc::Rc;

use crate::{rpm, xml::Element};

use super::items;

/// One criterion about a package.
pub(super) struct Fact {
    /// Facts with the same number must all hold.
    pub group: u32,
    /// The name spaces of the releases; empty where only the version tells.
    pub spaces: Rc<[String]>,
    pub module: Option<String>,
    pub architecture: Option<String>,
    /// Hash of the id of its test.
    pub test: u64,
    /// The comment says `is not affected`.
    pub not_affected: bool,
    /// Name and first good version in the comment, for files whose writers left the tests out.
    pub earlier: Option<(Box<str>, Box<str>)>,
}

/// What holds for everything below a node.
#[derive(Clone)]
struct Context {
    spaces: Rc<[String]>,
    /// Some release was named, though perhaps none that we know.
    named: bool,
    module: Option<String>,
    architecture: Option<String>,
}

/// What a comment says.
enum Said {
    Release(Option<String>),
    Module(String),
    Architecture(String),
    Package { not_affected: bool },
    Nothing,
}

/// The facts in `criteria`. The depth of trees is limited by the XML reader.
pub(super) fn facts(criteria: &Element) -> Vec<Fact> {
    let mut facts = Vec::new();
    let mut groups = 0;
    let nowhere = Context { spaces: Rc::from([]), named: false, module: None, architecture: None };
    walk(criteria, &nowhere, &mut groups, &mut facts);
    facts
}

fn walk(node: &Element, above: &Context, groups: &mut u32, facts: &mut Vec<Fact>) {
    let all = node.attribute("operator") != "OR";
    let mut context = above.clone();
    if all {
        for child in &node.children {
            narrow(child, &mut context);
        }
    }
    *groups += 1;
    for child in &node.children {
        if child.name == "criteria" {
            walk(child, &context, groups, facts);
            continue;
        }
        if let Said::Package { not_affected } = said(child.attribute("comment")) {
            if context.named && context.spaces.is_empty() {
                continue; // of a release that is not ours
            }
            if !all {
                *groups += 1;
            }
            facts.push(Fact {
                group: *groups,
                spaces: Rc::clone(&context.spaces),
                module: context.module.clone(),
                architecture: context.architecture.clone(),
                test: items::key(child.attribute("test_ref")),
                not_affected,
                earlier: earlier(child.attribute("comment")),
            });
        }
    }
}

/// Takes what `child` demands of the system into `context`: a criterion, or a choice of releases.
fn narrow(child: &Element, context: &mut Context) {
    if child.name == "criterion" {
        match said(child.attribute("comment")) {
            Said::Release(space) => {
                context.named = true;
                context.spaces = space.into_iter().collect();
            }
            Said::Module(module) => context.module = Some(module),
            Said::Architecture(cpu) => context.architecture = Some(cpu),
            Said::Package { .. } | Said::Nothing => {}
        }
        return;
    }
    let mut spaces: Vec<String> = Vec::new();
    let releases = !child.children.is_empty()
        && child.children.iter().all(|leaf| match said(leaf.attribute("comment")) {
            Said::Release(space) if leaf.name == "criterion" => {
                spaces.extend(space);
                true
            }
            _ => false,
        });
    if releases {
        spaces.sort();
        spaces.dedup();
        context.named = true;
        context.spaces = spaces.into();
    }
}

/// `bind-devel is earlier than 30:9.3.3-8.el5`
fn earlier(comment: &str) -> Option<(Box<str>, Box<str>)> {
    let (name, evr) = comment.trim().split_once(" is earlier than ")?;
    let one = |text: &str| !text.is_empty() && !text.contains(' ');
    (one(name) && one(evr)).then(|| (name.into(), rpm::plain_evr(evr).into()))
}

/// What vendors write in comments.
fn said(comment: &str) -> Said {
    let comment = comment.trim();
    if let Some(subject) = comment.strip_suffix(" is installed") {
        // Packages have no spaces in their names, products do; `Fedora` alone is neither.
        if subject.contains(' ') {
            return Said::Release(rpm::release_space(subject));
        }
        return Said::Package { not_affected: false };
    }
    if let Some(module) = comment.strip_prefix("Module ").and_then(|rest| rest.strip_suffix(" is enabled")) {
        return Said::Module(module.to_owned());
    }
    if let Some((_, cpu)) = comment.split_once(" arch is ") {
        return Said::Architecture(cpu.to_owned());
    }
    if comment.ends_with(" is not affected") {
        return Said::Package { not_affected: true };
    }
    let about_version = [
        " is earlier than ",
        " is less than ",
        " is greater than ",
        " is >",
        " less than ",
        " is installed with version ",
    ];
    let about_package =
        about_version.iter().any(|words| comment.contains(words)) || comment.ends_with(" is affected");
    if about_package { Said::Package { not_affected: false } } else { Said::Nothing }
}
