//! What can be made to go wrong, where and how often.

use std::time::Duration;

use super::answer::ApiError;
use super::phase::Phase;

/// What goes wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// The answer comes this much later.
    Slow(Duration),
    /// No answer comes at all.
    Hang,
    /// The connection ends without an answer; what was asked is not done.
    Reset,
    /// The call is done, and the connection ends without an answer.
    LoseAnswer,
    /// The answer's body ends in its middle.
    Truncate,
    /// Numbers, flags, texts and lists of the answer change places.
    WrongTypes,
    /// An HTML page with status 500.
    Html500,
    /// All sessions of the pool end.
    SessionLost,
    /// From the next connection on, another certificate.
    SwapCertificate,
    /// Another member becomes coordinator.
    ChangeCoordinator,
    /// The call is refused with this error.
    Error(ApiError),
    /// In a phase: the host's toolstack crashes, and starts again.
    Crash,
    /// In a phase: the host dies, and stays away.
    Die,
    /// In `starting`: the coordinator cannot reach the member; it tries again and again.
    CannotTalkBack,
    /// In `metadata`: the pool does not take the host's record, and the join goes on.
    NotRecorded,
    /// In `checking`, `certificates` or `metadata`: the pool forgets the host's own session, and the join ends there.
    PoolForgets,
    /// In `starting`: the member's xapi is newer than the coordinator's.
    NewerThanCoordinator,
}

/// One fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// What goes wrong.
    pub kind: FaultKind,
    /// At this host alone.
    pub endpoint: Option<String>,
    /// At calls of this method alone; one `*` stands for anything.
    pub method: Option<String>,
    /// While the host is in this phase alone.
    pub phase: Option<Phase>,
    /// Lets this many occasions pass first.
    pub after: u32,
    /// How often at most; for ever when left out.
    pub count: Option<u32>,
}

/// A text that describes no fault.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "\"{}\" is no fault: {reason}; expected KIND[=VALUE][,endpoint=HOST][,method=NAME][,phase=PHASE][,after=N][,count=N] with \
     KIND one of slow=DURATION, hang, reset, lose-answer, truncate, wrong-types, html-500, session-lost, \
     swap-certificate, change-coordinator, error=CODE, crash, die, cannot-talk-back, not-recorded, pool-forgets, newer",
    spec.escape_debug()
)]
pub struct FaultError {
    spec: String,
    reason: String,
}

impl Fault {
    /// A fault everywhere and for ever.
    pub const fn new(kind: FaultKind) -> Self {
        Self { kind, endpoint: None, method: None, phase: None, after: 0, count: None }
    }

    /// At one host.
    #[must_use]
    pub fn at(mut self, endpoint: &str) -> Self {
        self.endpoint = Some(endpoint.to_owned());
        self
    }

    /// At one method.
    #[must_use]
    pub fn on(mut self, method: &str) -> Self {
        self.method = Some(method.to_owned());
        self
    }

    /// In one phase.
    #[must_use]
    pub const fn during(mut self, phase: Phase) -> Self {
        self.phase = Some(phase);
        self
    }

    /// After some occasions.
    #[must_use]
    pub const fn after(mut self, occasions: u32) -> Self {
        self.after = occasions;
        self
    }

    /// So often.
    #[must_use]
    pub const fn times(mut self, count: u32) -> Self {
        self.count = Some(count);
        self
    }

    /// Whether it may happen at a host of this name.
    pub fn is_at(&self, endpoint: &str) -> bool {
        fits(self.endpoint.as_deref(), endpoint)
    }

    /// Whether it belongs to a step of a host and not to a call.
    const fn is_of_phase(&self) -> bool {
        use FaultKind as K;
        matches!(
            self.kind,
            K::Crash | K::Die | K::CannotTalkBack | K::NotRecorded | K::PoolForgets | K::NewerThanCoordinator
        )
    }
}

impl std::str::FromStr for Fault {
    type Err = FaultError;

    fn from_str(spec: &str) -> Result<Self, FaultError> {
        let wrong = |reason: &str| FaultError { spec: spec.to_owned(), reason: reason.to_owned() };
        let mut parts = spec.split(',');
        let (kind, value) = split(parts.next().unwrap_or(""));
        let mut fault = Self::new(kind_of(kind, value).map_err(|reason| wrong(&reason))?);
        for part in parts {
            let (name, Some(value)) = split(part) else { return Err(wrong(&format!("{part:?} has no value"))) };
            let number = || value.parse().map_err(|_| wrong(&format!("{value:?} is no number")));
            match name {
                "endpoint" => fault.endpoint = Some(value.to_owned()),
                "method" => fault.method = Some(value.to_owned()),
                "phase" => {
                    let words = Phase::ALL.map(Phase::word).join(", ");
                    let phase = Phase::from_word(value).ok_or_else(|| wrong(&format!("phases are {words}")))?;
                    fault.phase = Some(phase);
                }
                "after" => fault.after = number()?,
                "count" => fault.count = Some(number()?),
                _ => return Err(wrong(&format!("{name:?} is not known"))),
            }
        }
        if fault.count == Some(0) {
            return Err(wrong("count=0 never happens"));
        }
        if fault.is_of_phase() && fault.method.is_some() {
            return Err(wrong("it belongs to a host's phase and not to a call, and takes no method"));
        }
        Ok(fault)
    }
}

fn split(part: &str) -> (&str, Option<&str>) {
    part.split_once('=').map_or((part, None), |(name, value)| (name, Some(value)))
}

fn kind_of(kind: &str, value: Option<&str>) -> Result<FaultKind, String> {
    use FaultKind as K;
    let plain = match kind {
        "hang" => K::Hang,
        "reset" => K::Reset,
        "lose-answer" => K::LoseAnswer,
        "truncate" => K::Truncate,
        "wrong-types" => K::WrongTypes,
        "html-500" => K::Html500,
        "session-lost" => K::SessionLost,
        "swap-certificate" => K::SwapCertificate,
        "change-coordinator" => K::ChangeCoordinator,
        "crash" => K::Crash,
        "die" => K::Die,
        "cannot-talk-back" => K::CannotTalkBack,
        "not-recorded" => K::NotRecorded,
        "pool-forgets" => K::PoolForgets,
        "newer" => K::NewerThanCoordinator,
        "slow" => {
            let text = value.ok_or("slow needs a duration, as in slow=2s")?;
            return humantime::parse_duration(text).map(K::Slow).map_err(|error| error.to_string());
        }
        "error" => {
            let mut parts = value.ok_or("error needs a code")?.split(':');
            return Ok(K::Error(ApiError::new(parts.next().unwrap_or(""), parts)));
        }
        other => return Err(format!("{other:?} is not known")),
    };
    if value.is_some() { Err(format!("{kind} takes no value")) } else { Ok(plain) }
}

/// The faults that are set, with how often each had its occasion.
#[derive(Debug, Default)]
pub(super) struct Faults(Vec<(Fault, u32)>);

impl Faults {
    pub(super) fn add(&mut self, fault: Fault) {
        self.0.push((fault, 0));
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// What goes wrong at this call.
    pub(super) fn at_call(&mut self, endpoint: &str, method: &str, phase: Phase) -> Vec<FaultKind> {
        self.take(|fault| {
            !fault.is_of_phase()
                && fault.is_at(endpoint)
                && fits(fault.method.as_deref(), method)
                && fault.phase.is_none_or(|wanted| wanted == phase)
        })
    }

    /// What goes wrong as a host enters a phase.
    pub(super) fn at_phase(&mut self, endpoint: &str, phase: Phase) -> Vec<FaultKind> {
        self.take(|fault| fault.is_of_phase() && fault.is_at(endpoint) && fault.wanted_phase() == Some(phase))
    }

    fn take(&mut self, applies: impl Fn(&Fault) -> bool) -> Vec<FaultKind> {
        let mut kinds = Vec::new();
        for (fault, seen) in &mut self.0 {
            if applies(fault) {
                *seen += 1;
                if *seen > fault.after && fault.count.is_none_or(|count| *seen - fault.after <= count) {
                    kinds.push(fault.kind.clone());
                }
            }
        }
        kinds
    }
}

impl Fault {
    /// The phase that a fault waits for: those of the start have one of their own.
    const fn wanted_phase(&self) -> Option<Phase> {
        match (&self.kind, self.phase) {
            (_, Some(phase)) => Some(phase),
            (FaultKind::CannotTalkBack | FaultKind::NewerThanCoordinator, None) => Some(Phase::Starting),
            (FaultKind::NotRecorded | FaultKind::PoolForgets, None) => Some(Phase::Metadata),
            _ => None,
        }
    }
}

fn fits(wanted: Option<&str>, found: &str) -> bool {
    wanted.is_none_or(|wanted| match wanted.split_once('*') {
        Some((start, end)) => found.starts_with(start) && found.ends_with(end),
        None => wanted == found,
    })
}
