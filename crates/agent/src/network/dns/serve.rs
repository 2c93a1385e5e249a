//! Listening and answering.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use tokio::{
    net::{TcpListener, TcpStream, UdpSocket},
    sync::Semaphore,
    task::JoinSet,
    time::timeout,
};

use super::{
    Asked, Decision, Resolver, Shared,
    forward::{self, By},
    message::{self, Code, Question, Wrong},
};

/// Where names are resolved.
const PORT: u16 = 53;
/// Bytes of a question by UDP.
const DATAGRAM: usize = 4_096;
/// Conversations by TCP at once, of all groups.
const MAX_STREAMS: usize = 256;
/// Questions of one conversation.
const MAX_QUESTIONS: usize = 64;
/// How long a conversation may rest; one that waits longer asks anew.
const REST: Duration = Duration::from_secs(5);
/// After an error that comes again at once.
const PAUSE: Duration = Duration::from_millis(100);

impl Resolver {
    /// Listens on the address of the gateway. Whoever is connected is answered; it ends with its task.
    ///
    /// # Errors
    /// Where it cannot listen there.
    pub async fn listen(&self, gateway: Ipv4Addr) -> io::Result<Listening> {
        let udp = UdpSocket::bind((gateway, PORT)).await?;
        let tcp = TcpListener::bind((gateway, PORT)).await?;
        Ok(Listening { resolver: self.clone(), udp: Arc::new(udp), tcp })
    }
}

/// A resolver that can be asked as soon as it [runs](Self::run).
#[derive(Debug)]
pub struct Listening {
    resolver: Resolver,
    udp: Arc<UdpSocket>,
    tcp: TcpListener,
}

impl Listening {
    /// Answers until it is dropped.
    pub async fn run(self) {
        let streams = Arc::new(Semaphore::new(MAX_STREAMS));
        // Dropped with this, and with them all that wait.
        let mut tasks = JoinSet::new();
        let mut buffer = vec![0; DATAGRAM];
        loop {
            tokio::select! {
                // What failed to arrive is asked again; a socket of ours has no other errors.
                received = self.udp.recv_from(&mut buffer) => {
                    let Ok((length, from)) = received else {
                        tokio::time::sleep(PAUSE).await;
                        continue;
                    };
                    let asked = buffer.get(..length).unwrap_or_default().to_vec();
                    self.datagram(&mut tasks, asked, from).await;
                }
                accepted = self.tcp.accept() => {
                    let Ok((stream, from)) = accepted else {
                        // Out of descriptors: those that are there end soon.
                        tokio::time::sleep(PAUSE).await;
                        continue;
                    };
                    if let Ok(turn) = Arc::clone(&streams).try_acquire_owned() {
                        let shared = Arc::clone(&self.resolver.0);
                        tasks.spawn(async move {
                            let _turn = turn;
                            // Whoever leaves in the middle hears nothing.
                            let _ = conversation(&shared, stream, from).await;
                        });
                    }
                }
                Some(_) = tasks.join_next() => {}
            }
        }
    }

    /// Answers at once where nobody else has to be asked.
    async fn datagram(&self, tasks: &mut JoinSet<()>, asked: Vec<u8>, from: SocketAddr) {
        let shared = Arc::clone(&self.resolver.0);
        match shared.look(&asked, from) {
            Looked::Nothing => {}
            // Where it does not arrive, it is asked again.
            Looked::Answered(answer) => drop(self.udp.send_to(&answer, from).await),
            Looked::Forward(question, at) => {
                if tasks.len() >= super::MAX_WAITING + MAX_STREAMS {
                    return shared.tell(at, &question, None, true);
                }
                let udp = Arc::clone(&self.udp);
                tasks.spawn(async move {
                    if let Some(answer) = shared.forward(By::Udp, &question, &asked, at).await {
                        drop(udp.send_to(&answer, from).await);
                    }
                });
            }
        }
    }
}

async fn conversation(shared: &Shared, mut stream: TcpStream, from: SocketAddr) -> io::Result<()> {
    let IpAddr::V4(at) = from.ip() else { return Ok(()) };
    let Some(_turn) = shared.turn(at) else { return Ok(()) };
    for _ in 0..MAX_QUESTIONS {
        let Ok(asked) = timeout(REST, forward::read(&mut stream)).await else { return Ok(()) };
        let asked = asked?;
        let answer = match shared.look(&asked, from) {
            Looked::Nothing => return Ok(()),
            Looked::Answered(answer) => answer,
            Looked::Forward(question, at) => match shared.forward(By::Tcp, &question, &asked, at).await {
                Some(answer) => answer,
                None => return Ok(()),
            },
        };
        match timeout(REST, forward::write(&mut stream, &answer)).await {
            Ok(written) => written?,
            Err(_) => return Ok(()),
        }
    }
    Ok(())
}

/// What is made of what was asked.
enum Looked {
    Nothing,
    Answered(Vec<u8>),
    Forward(Question, Ipv4Addr),
}

impl Shared {
    fn look(&self, asked: &[u8], from: SocketAddr) -> Looked {
        let IpAddr::V4(at) = from.ip() else { return Looked::Nothing };
        let question = match Question::read(asked) {
            Ok(question) => question,
            Err(Wrong::Silent) => return Looked::Nothing,
            Err(Wrong::Said(code)) => return Looked::Answered(message::refusal(asked, code)),
        };
        match self.names().decide(at, &question) {
            Decision::Answer(code, records) => {
                self.tell(at, &question, Some(code), false);
                Looked::Answered(question.answer(asked, code, &records))
            }
            Decision::Forward => Looked::Forward(question, at),
        }
    }

    async fn forward(&self, by: By, question: &Question, asked: &[u8], at: Ipv4Addr) -> Option<Vec<u8>> {
        // A conversation has had its turn since it began.
        let turn = if by == By::Udp { self.turn(at) } else { None };
        if turn.is_none() && by == By::Udp {
            self.tell(at, question, None, true);
            return None;
        }
        let answer = forward::forward(&self.resolvers, by, question, asked).await;
        let code = answer.as_deref().map_or(Code::Failed, Code::of);
        self.tell(at, question, Some(code), true);
        Some(answer.unwrap_or_else(|| question.answer(asked, Code::Failed, &[])))
    }

    fn tell(&self, at: Ipv4Addr, question: &Question, code: Option<Code>, forwarded: bool) {
        let Some(group) = self.names().group(at).map(ToOwned::to_owned) else { return };
        (self.log)(Asked { group, name: question.name.clone(), kind: question.kind, code, forwarded });
    }
}
