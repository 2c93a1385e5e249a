//! The commands: one file each, with its arguments and one `run`, and one line in [`Command`].

pub mod admit;
pub mod agent;
pub mod attach;
pub mod attest;
pub mod audit;
pub mod break_glass;
pub mod build_record;
pub mod can_i;
pub mod check;
pub mod completion;
pub mod credentials;
pub mod engine;
pub mod events;
pub mod exception;
pub mod exec;
pub mod explain;
pub mod federation;
pub mod feeds;
pub mod findings;
pub mod gate;
pub mod group;
pub mod image;
pub mod inspect;
pub mod key;
pub mod login;
pub mod logout;
pub mod logs;
pub mod man;
pub mod notify;
pub mod outdated;
pub mod plan;
pub mod policy;
pub mod ps;
pub mod quarantine;
pub mod registry;
pub mod rm;
pub mod role;
pub mod rollback;
pub mod rollout;
pub mod rotate;
pub mod run;
pub mod sbom;
pub mod scan;
pub mod scope_map;
pub mod search;
pub mod serve;
pub mod sign;
pub mod sp;
pub mod stop;
pub mod token;
pub mod top;
pub mod up;
pub mod user;
pub mod verify;
pub mod version;
pub mod vex;
pub mod webhook;
pub mod r#where;
pub mod whoami;
pub mod workload;
pub mod wrapper;

use clap::Subcommand;

use crate::{
    cli::Cli,
    console::Console,
    exit::{Exit, Failure},
};

/// What `boltseal` can do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Find what is known to be wrong with an image, and how to fix it
    Scan(scan::Args),
    /// List, inspect, copy, tag, remove and extend images in registries
    Image(image::Args),
    /// Find repositories, tags, digests, labels, packages and vulnerabilities by name
    Search(search::Args),
    /// List credentials that lie in images of a server, and where
    Credentials(credentials::Args),
    /// Set up and watch the registry of a server: caches, mirrors, rules, storage, jobs
    Registry(registry::Args),
    /// List what is installed in an image
    Sbom(sbom::Args),
    /// Ask a policy whether an image may pass: exit code 0, 1 or 3
    Gate(gate::Args),
    /// Find what should be otherwise in definitions of workloads: Kubernetes, Compose, container groups, …
    Check(check::Args),
    /// Say exactly how a container group would be confined on this machine, and what of it holds
    Plan(plan::Args),
    /// Run an image or a container group on this machine, sealed
    Run(run::Args),
    /// List the containers of this machine
    Ps(ps::Args),
    /// Find who runs a vulnerability, a package, a digest or what a key signed, and whether it is used
    Where(r#where::Args),
    /// List what runs on this machine and has a newer image, a newer base or a worse verdict
    Outdated(outdated::Args),
    /// Show what a container wrote
    Logs(logs::Args),
    /// Run one more program in a container
    Exec(exec::Args),
    /// Sit at a container that was run with a terminal, or that reads what is typed
    Attach(attach::Args),
    /// List the processes of a container
    Top(top::Args),
    /// Show what is known of a container group
    Inspect(inspect::Args),
    /// Stop a container group
    Stop(stop::Args),
    /// Start a container group that was stopped
    Start(stop::StartArgs),
    /// Replace secrets of a container group while it runs
    Rotate(rotate::Args),
    /// Replace a container group by a new version of it, without a moment in which nobody serves
    Rollout(rollout::Args),
    /// Let the container group serve again that a rollout replaced
    Rollback(rollback::Args),
    /// Remove container groups
    Rm(rm::Args),
    /// List what happened on this machine, and what was asked of it
    Events(events::Args),
    /// Sign an image in a registry
    Sign(sign::Args),
    /// Say something about an image and sign it: how it was built, what is in it
    Attest(attest::Args),
    /// Run a build, and say how it was done: signed provenance of the image it made
    BuildRecord(build_record::Args),
    /// Check who signed an image, and what they said about it
    Verify(verify::Args),
    /// Say where an image comes from: by whom it was pushed, built, signed, and judged by what
    Explain(explain::Args),
    /// Check a file that `explain --proof` wrote, without a server
    VerifyProof(explain::CheckArgs),
    /// Make keys that sign, and show their public halves
    Key(key::Args),
    /// Say what a vulnerability does in a product and why, and show what others say
    Vex(vex::Args),
    /// Import, fetch and inspect vulnerability data
    Feeds(feeds::Args),
    /// List what became newly vulnerable on a server
    Findings(findings::Args),
    /// Tell people and programs of what becomes newly vulnerable
    Notify(notify::Args),
    /// Show and check policies
    Policy(policy::Args),
    /// Hold an image back or let it pass, whatever its verdict says
    Quarantine(quarantine::Args),
    /// List exceptions of a policy, approve them, and take approvals back
    Exception(exception::Args),
    /// Let clusters of Kubernetes ask a server before they run anything
    Webhook(webhook::Args),
    /// Run the registry, the scanner and the dashboard on this machine
    Up(up::Args),
    /// Run one of several servers over a shared database and object store
    Serve(serve::Args),
    /// Ask a server whether an image may run: exit code 0, 1 or 3
    Admit(admit::Args),
    /// Stand beside the container engine of this node and let run only what a server approved
    Agent(agent::Args),
    /// Have other engines fetch from approved registries only, and start containers hardened
    Engine(engine::Args),
    /// Stand in front of an engine's OCI runtime, and harden what it is asked for
    Wrapper(wrapper::Args),
    /// Log in to a server
    Login(login::Args),
    /// End a login
    Logout(logout::Args),
    /// Show who is logged in, and with which roles
    Whoami(whoami::Args),
    /// Ask whether something may be done, and why: exit code 0 or 1
    CanI(can_i::Args),
    /// Manage users
    User(user::Args),
    /// Manage service principals: programs with secrets or certificates
    Sp(sp::Args),
    /// Manage workloads: programs that others vouch for, such as containers
    Workload(workload::Args),
    /// Manage groups
    Group(group::Args),
    /// Manage roles, and who has them where
    Role(role::Args),
    /// Print a token for container clients; manage tokens for some repositories
    Token(token::Args),
    /// Manage scope maps: what tokens for some repositories may do
    ScopeMap(scope_map::Args),
    /// Manage whose tokens stand for which principal
    Federation(federation::Args),
    /// Come in with the shares of several people, in an emergency
    BreakGlass(break_glass::Args),
    /// Read, verify, prove and export the log of what was done
    Audit(audit::Args),
    /// Print a completion script for a shell
    Completion(completion::Args),
    /// Print the manual page, or write all of them into a folder
    Man(man::Args),
    /// Print the version
    Version(version::Args),
}

/// Does what the arguments say.
pub fn run(cli: Cli, console: &Console) -> Result<Exit, Failure> {
    let global = cli.global;
    match cli.command {
        Command::Scan(args) => scan::run(&args, &global, console),
        Command::Image(args) => image::run(&args, &global, console),
        Command::Search(args) => search::run(&args, &global, console),
        Command::Credentials(args) => credentials::run(&args, &global, console),
        Command::Registry(args) => registry::run(&args, &global, console),
        Command::Sbom(args) => sbom::run(&args, &global, console),
        Command::Gate(args) => gate::run(&args, &global, console),
        Command::Check(args) => check::run(&args, console),
        Command::Plan(args) => plan::run(&args, console),
        Command::Run(args) => run::run(&args, &global, console),
        Command::Ps(args) => ps::run(&args, console),
        Command::Where(args) => r#where::run(&args, &global, console),
        Command::Outdated(args) => outdated::run(&args, console),
        Command::Logs(args) => logs::run(&args, console),
        Command::Exec(args) => exec::run(&args, console),
        Command::Attach(args) => attach::run(&args, console),
        Command::Top(args) => top::run(&args, console),
        Command::Inspect(args) => inspect::run(&args, console),
        Command::Stop(args) => stop::run(&args, console),
        Command::Start(args) => stop::start(&args, console),
        Command::Rotate(args) => rotate::run(&args, console),
        Command::Rollout(args) => rollout::run(&args, console),
        Command::Rollback(args) => rollback::run(&args, console),
        Command::Rm(args) => rm::run(&args, console),
        Command::Events(args) => events::run(&args, console),
        Command::Sign(args) => sign::run(&args, &global, console),
        Command::Attest(args) => attest::run(&args, &global, console),
        Command::BuildRecord(args) => build_record::run(&args, &global, console),
        Command::Verify(args) => verify::run(&args, &global, console),
        Command::Explain(args) => explain::run(&args, &global, console),
        Command::VerifyProof(args) => explain::check(&args, console),
        Command::Key(args) => key::run(&args, console),
        Command::Vex(args) => vex::run(&args, &global, console),
        Command::Feeds(args) => feeds::run(args, &global, console),
        Command::Findings(args) => findings::run(&args, &global, console),
        Command::Notify(args) => notify::run(&args, &global, console),
        Command::Policy(args) => policy::run(args, &global, console),
        Command::Quarantine(args) => quarantine::run(&args, &global, console),
        Command::Exception(args) => exception::run(&args, &global, console),
        Command::Webhook(args) => webhook::run(&args, &global, console),
        Command::Up(args) => up::run(args, &global, console),
        Command::Serve(args) => serve::run(args, &global, console),
        Command::Admit(args) => admit::run(&args, &global, console),
        Command::Engine(args) => engine::run(&args, &global, console),
        Command::Wrapper(args) => wrapper::run(&args),
        Command::Agent(args) => agent::run(&args, &global, console),
        Command::Login(args) => login::run(&args, &global, console),
        Command::Logout(args) => logout::run(&args, console),
        Command::Whoami(args) => whoami::run(&args, &global, console),
        Command::CanI(args) => can_i::run(&args, &global, console),
        Command::User(args) => user::run(&args, &global, console),
        Command::Sp(args) => sp::run(&args, &global, console),
        Command::Workload(args) => workload::run(&args, &global, console),
        Command::Group(args) => group::run(&args, &global, console),
        Command::Role(args) => role::run(&args, &global, console),
        Command::Token(args) => token::run(&args, &global, console),
        Command::ScopeMap(args) => scope_map::run(&args, &global, console),
        Command::Federation(args) => federation::run(&args, &global, console),
        Command::BreakGlass(args) => break_glass::run(&args, &global, console),
        Command::Audit(args) => audit::run(&args, &global, console),
        Command::Completion(args) => completion::run(&args, console),
        Command::Man(args) => man::run(&args, console),
        Command::Version(args) => version::run(&args, console),
    }
}
