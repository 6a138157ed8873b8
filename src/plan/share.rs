//! The groups of a fleet beside each other: each is planned for the fewest pools and some more, on all cores, and what spare
//! pools there are go where they help most.

use std::sync::Mutex;
use std::thread;

use super::group::{Answer, GroupWork};
use super::model::Question;
use super::solve::meter::Meter;

/// Steps for the answer that is asked for: more where a proof is within reach.
const STEPS: u64 = 2_000_000_000;
const STEPS_FOR_MANY: u64 = 1_000_000_000;
/// Pools up to which it is.
const PROVABLE: usize = 13;
/// Steps for what one pool more would save.
const STEPS_ONE_MORE: u64 = 150_000_000;

/// For each group its answers for the fewest pools, one more, and so on: as many as spare pools are allowed, and one.
pub(super) fn answers(works: &[GroupWork<'_>], question: &Question) -> Vec<Vec<Answer>> {
    let mut jobs: Vec<(usize, usize, u64)> = Vec::new();
    for (index, work) in works.iter().enumerate() {
        let fewest = work.fewest();
        for more in 0..=question.spare + 1 {
            if more == 0 || fewest + more <= work.most() {
                jobs.push((index, more, if more > question.spare { STEPS_ONE_MORE } else { enough(fewest + more) }));
            }
        }
    }
    // The largest first, so that no core waits for one that began late.
    jobs.sort_by_key(|(index, more, _)| (std::cmp::Reverse(works[*index].hosts.len()), *more));
    let run = |(index, more, steps): (usize, usize, u64)| {
        let mut meter = Meter::new(steps.saturating_mul(question.effort), question.until);
        works[index].answer(works[index].fewest() + more, &mut meter)
    };
    let done: Vec<Mutex<Option<Answer>>> = jobs.iter().map(|_| Mutex::new(None)).collect();
    let next = Mutex::new(0..jobs.len());
    let take = || next.lock().map_or(None, |mut next| next.next());
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from).min(jobs.len()) {
            scope.spawn(|| {
                while let Some(job) = take() {
                    let answer = run(jobs[job]);
                    if let Ok(mut place) = done[job].lock() {
                        *place = Some(answer);
                    }
                }
            });
        }
    });
    let mut found: Vec<Vec<(usize, Answer)>> = works.iter().map(|_| Vec::new()).collect();
    for ((index, more, _), answer) in jobs.iter().zip(done) {
        if let Ok(Some(answer)) = answer.into_inner() {
            found[*index].push((*more, answer));
        }
    }
    let mut answers: Vec<Vec<Answer>> = found
        .into_iter()
        .map(|mut answers| {
            answers.sort_by_key(|(more, _)| *more);
            answers.into_iter().map(|(_, answer)| answer).collect()
        })
        .collect();
    // Wishes may need more pools than room does.
    for (index, answers) in answers.iter_mut().enumerate() {
        let wanted = |answers: &[Answer]| {
            answers.iter().position(|answer| answer.pools.is_some()).map(|first| first + question.spare + 2)
        };
        while answers.len() < works[index].most() && wanted(answers).is_none_or(|wanted| answers.len() < wanted) {
            let more = answers.len();
            let steps = if wanted(answers).is_none() { enough(works[index].fewest() + more) } else { STEPS_ONE_MORE };
            answers.push(run((index, more, steps)));
            if works[index].fewest() + answers.len() > works[index].most() {
                break;
            }
        }
    }
    answers
}

/// Steps for an answer with so many pools.
const fn enough(pools: usize) -> u64 {
    if pools > PROVABLE { STEPS_FOR_MANY } else { STEPS }
}

/// Which answer of each group: the fewest pools, and the spare ones where they save most together. None for a group that has
/// none.
pub(super) fn choose(answers: &[Vec<Answer>], spare: usize) -> Vec<Option<usize>> {
    // saved[n]: the most that n spare pools save in the groups so far, and how many each of them got.
    let mut saved: Vec<(i64, Vec<usize>)> = vec![(0, Vec::new()); spare + 1];
    let first = |answers: &[Answer]| answers.iter().position(|answer| answer.pools.is_some());
    for answers in answers {
        let Some(start) = first(answers) else {
            saved.iter_mut().for_each(|(_, given)| given.push(0));
            continue;
        };
        let save = |more: usize| {
            let answer = answers.get(start + more).filter(|answer| answer.pools.is_some())?;
            Some(answers[start].loss - answer.loss)
        };
        saved = (0..=spare)
            .map(|budget| {
                let mut best: Option<(i64, Vec<usize>)> = None;
                for more in 0..=budget {
                    let Some(own) = save(more) else { continue };
                    let (before, given) = &saved[budget - more];
                    if best.as_ref().is_none_or(|(most, _)| before + own > *most) {
                        let mut given = given.clone();
                        given.push(more);
                        best = Some((before + own, given));
                    }
                }
                best.unwrap_or_default()
            })
            .collect();
    }
    let given = saved.pop().map(|(_, given)| given).unwrap_or_default();
    answers
        .iter()
        .enumerate()
        .map(|(index, answers)| first(answers).map(|start| start + given.get(index).copied().unwrap_or(0)))
        .collect()
}
