//! `boltseal where CVE|PACKAGE|DIGEST|KEY`

use boltseal_agent::groups::stock::answers::Where;
use boltseal_api::running::Places;

use crate::{
    cli::Global,
    console::Console,
    exit::{Exit, Failure},
    node::{Node, segment},
    output::{Written, running},
    reach::{Reach, query},
};

/// What to look for.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Images that run on this machine are looked into when they are first asked about, which takes as long as a scan. \
Vulnerabilities are known by the vulnerability data of this machine, or by what the server of its agent found; signatures by \
the server alone.

  executed   a file of it is the program of a process
  loaded     a file of it is mapped as code by a process
  present    it is there; not that it is unused: only what is open now is seen, or was when somebody asked before;
             with --everywhere, what was at one of the looks that agents take three times a minute

Examples:
  boltseal where CVE-2024-3094
  boltseal where openssl@3.0.11
  boltseal where pkg:npm/left-pad@1.3.0
  boltseal where sha256:4f1c…            # an image, a layer, or a file that can be executed
  boltseal where --everywhere CVE-2024-3094 # what all nodes run, as their agents told the server
  boltseal where release                # an authority of the policy whose signature counts

Exit codes: 0 all is known, also that nothing has it; 3 no agent answers, or something could not be looked into; with \
--everywhere also where a node is silent, or an image was never scanned by the server")]
pub struct Args {
    /// A vulnerability, a package (`NAME`, `NAME@VERSION`, `pkg:…`), a digest, or whose signature
    #[arg(value_name = "CVE|PACKAGE|DIGEST|KEY")]
    what: String,
    /// Ask the server about all nodes, instead of the agent about this one
    #[arg(long)]
    everywhere: bool,
    #[command(flatten)]
    node: Node,
    #[command(flatten)]
    reach: Reach,
    #[command(flatten)]
    written: Written,
}

/// Says who has it.
pub fn run(args: &Args, global: &Global, console: &Console) -> Result<Exit, Failure> {
    if args.everywhere {
        let client = args.reach.client(global)?;
        let found: Places = client.get(&query(&["running"], &[("what", Some(&args.what))]))?;
        args.written.show(&found, console, running::everywhere)?;
        let is_known = found.unknown.is_empty() && !found.more && found.nodes.iter().all(|node| !node.silent);
        return Ok(if is_known && !found.nodes.is_empty() { Exit::Pass } else { Exit::Undecided });
    }
    if args.reach.is_named() && std::env::var_os("BOLTSEAL_SERVER").is_none() {
        return Err(Failure::usage("--server is asked with --everywhere").next("add it"));
    }
    let found: Where = args.node.agent()?.get(&format!("/v1/where?what={}", segment(&args.what)))?;
    args.written.show(&found, console, running::places)?;
    Ok(if found.is_complete() { Exit::Pass } else { Exit::Undecided })
}
