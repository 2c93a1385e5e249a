//! A line of a shell cut into commands and words, as far as that can be told without running it.

/// Commands of one instruction.
const MAX_COMMANDS: usize = 2_000;
/// Words of one command.
const MAX_WORDS: usize = 2_000;
/// Shells within shells: `sh -c "bash -c '…'"`.
const MAX_DEPTH: usize = 4;

/// One command.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Command {
    /// `A=b` before it, and what `export` sets.
    pub variables: Vec<(String, String)>,
    /// Program and arguments, without quotes.
    pub words: Vec<String>,
    /// Whether it reads what the command before it writes.
    pub piped: bool,
}

impl Command {
    /// The program, without its folder.
    pub fn program(&self) -> &str {
        let name = self.words.first().map(String::as_str).unwrap_or_default();
        name.rsplit('/').next().unwrap_or(name)
    }

    /// Arguments after it.
    pub fn arguments(&self) -> &[String] {
        self.words.get(1..).unwrap_or_default()
    }

    /// Whether an argument is this one.
    pub fn has(&self, argument: &str) -> bool {
        self.arguments().iter().any(|word| word == argument)
    }
}

/// What is being read.
#[derive(Default)]
struct Reading {
    all: Vec<Command>,
    command: Command,
    word: String,
    /// Quotes make a word of nothing.
    in_word: bool,
}

impl Reading {
    fn end_word(&mut self) {
        if std::mem::take(&mut self.in_word) && self.command.words.len() < MAX_WORDS {
            self.command.words.push(std::mem::take(&mut self.word));
        }
        self.word.clear();
    }

    fn end_command(&mut self, pipes: bool) {
        self.end_word();
        let command = std::mem::take(&mut self.command);
        if !command.words.is_empty() && self.all.len() < MAX_COMMANDS {
            self.all.push(command);
        }
        self.command.piped = pipes;
    }

    fn sign(&mut self, sign: char) {
        self.word.push(sign);
        self.in_word = true;
    }
}

/// Words of a text, without the meaning that signs between them have for a shell.
pub fn words(text: &str) -> Vec<String> {
    cut(text, false).into_iter().flat_map(|command| command.words).collect()
}

/// Commands of a text, those of shells in it among them.
pub fn commands(text: &str) -> Vec<Command> {
    within(text, 0)
}

/// Of the exec form there is one command, which may be a shell.
pub fn of_exec(words: Vec<String>) -> Vec<Command> {
    let inner = script(&words).map(|text| within(&text, 1)).unwrap_or_default();
    let mut all = vec![Command { words, ..Command::default() }];
    all.extend(inner);
    all
}

fn within(text: &str, depth: usize) -> Vec<Command> {
    let mut all = Vec::new();
    for command in cut(text, true) {
        let command = named(command);
        let inner = script(&command.words).filter(|_| depth < MAX_DEPTH);
        all.push(command);
        if let Some(inner) = inner {
            all.extend(within(&inner, depth + 1));
        }
        if all.len() >= MAX_COMMANDS {
            break;
        }
    }
    all
}

/// The text that a shell is told to run.
fn script(words: &[String]) -> Option<String> {
    let program = words.first()?.rsplit('/').next()?;
    let is_shell = matches!(program, "sh" | "bash" | "ash" | "dash" | "zsh" | "ksh");
    let is_told = |word: &&String| word.starts_with('-') && !word.starts_with("--") && word.ends_with('c');
    let at = words.iter().position(|word| is_told(&word))?;
    is_shell.then(|| words.get(at + 1).cloned()).flatten()
}

/// Variables before the program, and words of a shell that lead to one.
fn named(mut command: Command) -> Command {
    let mut words = std::mem::take(&mut command.words).into_iter().peekable();
    let mut exports = false;
    while let Some(word) = words.peek() {
        match word.as_str() {
            "then" | "do" | "else" | "if" | "while" | "until" | "elif" | "!" | "time" | "exec" | "{" => {}
            "export" => exports = true,
            text => match text.split_once('=') {
                Some((name, value)) if is_variable(name) => {
                    command.variables.push((name.to_owned(), value.to_owned()));
                }
                _ => break,
            },
        }
        words.next();
    }
    command.words = words.collect();
    if exports && command.words.is_empty() {
        command.words.push("export".to_owned());
    }
    command
}

fn is_variable(name: &str) -> bool {
    !name.is_empty()
        && !name.starts_with(|sign: char| sign.is_ascii_digit())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

fn cut(text: &str, operators: bool) -> Vec<Command> {
    let mut reading = Reading::default();
    let mut signs = text.chars().peekable();
    let mut quote: Option<char> = None;
    while let Some(sign) = signs.next() {
        match (quote, sign) {
            (Some(open), sign) if open == sign => quote = None,
            (Some('"') | None, '\\') => {
                // Before a line's end both go; in quotes it stays before signs that mean nothing.
                match signs.next() {
                    Some('\n') | None => {}
                    Some(next) => {
                        if quote.is_some() && !matches!(next, '"' | '\\' | '$' | '`') {
                            reading.sign('\\');
                        }
                        reading.sign(next);
                    }
                }
            }
            (None, '"' | '\'') => {
                quote = Some(sign);
                reading.in_word = true;
            }
            (None, '\n') if operators => reading.end_command(false),
            (None, sign) if sign.is_whitespace() => reading.end_word(),
            (None, '#') if operators && !reading.in_word => {
                while signs.peek().is_some_and(|sign| *sign != '\n') {
                    signs.next();
                }
            }
            (None, '|') if operators => {
                let or = signs.next_if_eq(&'|').is_some();
                signs.next_if_eq(&'&');
                reading.end_command(!or);
            }
            // `>&2` and `&>file` are about files.
            (None, '&') if operators && !reading.word.ends_with(['>', '<']) => {
                if signs.peek() == Some(&'>') {
                    reading.sign('&');
                } else {
                    signs.next_if_eq(&'&');
                    reading.end_command(false);
                }
            }
            (None, ';' | '(' | ')' | '`') if operators => reading.end_command(false),
            (_, sign) => reading.sign(sign),
        }
    }
    reading.end_command(false);
    reading.all
}
