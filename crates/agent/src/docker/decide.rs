//! From what a command does and what is known to yes or no. No I/O.

use boltseal_model::{Decision, Reference, Ruling};

use super::{
    body::{Error, Value},
    command::{Command, Does},
    opening::{self, Opening},
    settings::{Allowed, Settings},
};

/// What is done with a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    Allowed,
    /// Allowed, with something to look at.
    Warned(String),
    /// Refused: what, why, and the next step.
    Refused(String),
}

/// Openings of a command, as it asks for them.
pub fn openings(does: &Does) -> Result<Vec<Opening>, Error> {
    Ok(match does {
        Does::Create(body) => {
            // Outside of `HostConfig`, as clients of before 2014 sent them, they count too.
            let mut all = opening::of_host_config(body)?;
            if let Some(inner) = body.get("HostConfig")? {
                all.extend(opening::of_host_config(inner)?);
            }
            for (network, _) in networks(body)? {
                if network == "host" {
                    let field = "NetworkingConfig.EndpointsConfig";
                    all.push(Opening { name: "network", value: network.clone(), field });
                }
            }
            all
        }
        Does::Update(body) => opening::of_host_config(body)?,
        Does::Exec(body) if body.is_true("Privileged")? => {
            vec![Opening { name: "privileged", value: String::new(), field: "Privileged" }]
        }
        Does::Volume(body) => opening::of_volume(body)?,
        Does::Service(body) => opening::of_service(body)?,
        _ => Vec::new(),
    })
}

fn networks(body: &Value) -> Result<&[(String, Value)], Error> {
    match body.get("NetworkingConfig")? {
        Some(config) => config.map("EndpointsConfig"),
        None => Ok(&[]),
    }
}

/// The image that a command names: as the engine knows it, or as every node will fetch it.
pub fn image(does: &Does) -> Result<Option<&str>, Error> {
    match does {
        Does::Create(body) => body.text("Image"),
        Does::Service(body) => match body.at(&["TaskTemplate", "ContainerSpec"])? {
            Some(container) => container.text("Image"),
            None => Ok(None),
        },
        _ => Ok(None),
    }
}

/// What settings alone say.
pub fn by_settings(command: &Command, openings: &[Opening], settings: &Settings) -> Outcome {
    if let Some(closed) = openings.iter().find(|opening| !settings.opens(opening)) {
        return Outcome::Refused(format!(
            "{} asks for {closed} ({}), which this host does not open; leave it out, or have `{closed}` added to \
             `openings` in the settings of the agent",
            command.title, closed.field
        ));
    }
    match &command.does {
        Does::Build if settings.build == Allowed::Deny => Outcome::Refused(
            "a build runs code that nobody judged; build in CI and push, or have `build: allow` set in the settings \
             of the agent"
                .to_owned(),
        ),
        Does::Plugin if settings.plugins == Allowed::Deny => Outcome::Refused(
            "a plugin of the engine runs as root; have `plugins: allow` set in the settings of the agent".to_owned(),
        ),
        Does::Pull { image } => match image.parse::<Reference>() {
            Ok(reference) if settings.pulls(&reference) => Outcome::Allowed,
            Ok(reference) => Outcome::Refused(format!(
                "{} is not pulled: {} is not among the `registries` in the settings of the agent; push the image to \
                 one of them",
                image,
                reference.name()
            )),
            Err(wrong) => Outcome::Refused(format!("{image} is not pulled: {wrong}")),
        },
        _ => Outcome::Allowed,
    }
}

/// What is said about one image under all its names: it is refused where one of them is, and needs one that is known.
pub fn by_rulings(image: &str, rulings: &[Ruling], settings: &Settings) -> Outcome {
    let refused = rulings.iter().find(|ruling| ruling.judged && !ruling.passes());
    let passing = || rulings.iter().find(|ruling| ruling.passes());
    let unknown = || {
        let nowhere = || Ruling::unknown("it came from no registry, so nobody judged it");
        let first = rulings.first().cloned().unwrap_or_else(nowhere);
        Ruling { decision: settings.of_unknown(), ..first }
    };
    let ruling = refused.or_else(passing).cloned().unwrap_or_else(unknown);
    match ruling.decision {
        Decision::Allow => Outcome::Allowed,
        Decision::Warn => Outcome::Warned(format!("{image}: {}", ruling.why)),
        Decision::Deny => Outcome::Refused(format!("{image}: {}", ruling.why)),
        Decision::Unknown if ruling.judged => Outcome::Refused(format!("{image}: {}", ruling.why)),
        Decision::Unknown => Outcome::Refused(format!(
            "{image}: {}; push it to the registry that judges it and pull it from there",
            ruling.why
        )),
    }
}
