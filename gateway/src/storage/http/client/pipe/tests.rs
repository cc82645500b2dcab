use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;

use super::*;

fn pipes() -> Rc<Pipes> {
    Rc::new(Pipes::new(Arc::default()))
}

/// A part with these bytes.
fn part(pipes: &Rc<Pipes>, content: &[u8]) -> PipedPart {
    let (mut theirs, ours) = UnixStream::pair().unwrap();
    theirs.write_all(content).unwrap();
    let mut part = pipes.take().unwrap();
    assert_eq!(part.fill_from(&ours, u64::MAX).unwrap(), content.len());
    part
}

#[test]
fn what_goes_in_comes_out() {
    let pipes = pipes();
    let (ours, mut theirs) = UnixStream::pair().unwrap();
    let mut piped = part(&pipes, b"hello");
    assert_eq!(piped.send_to(&ours).unwrap(), 5);
    let mut arrived = [0; 5];
    theirs.read_exact(&mut arrived).unwrap();
    assert_eq!((&arrived, piped.length()), (b"hello", 0));
    assert_eq!(part(&pipes, b"world").take_out().unwrap(), "world");
    drop(piped);
    assert_eq!(pipes.held(), 2);
}

#[test]
fn one_that_is_not_empty_is_not_used_again() {
    let pipes = pipes();
    drop(part(&pipes, b"hello"));
    assert_eq!(pipes.held(), 0);
    assert_eq!(part(&pipes, b"world").take_out().unwrap(), "world");
    assert_eq!(pipes.held(), 1);
}

#[test]
fn where_the_system_does_not_splice_there_is_none() {
    assert!(try_to_splice().is_ok());
    let budget = PipeBudget { splices: false, ..PipeBudget::default() };
    assert!(Rc::new(Pipes::new(Arc::new(budget))).take().is_none());
}

/// Over all threads, and there are fewer large ones than small ones.
#[test]
fn there_is_a_bound() {
    let [one, other] = [pipes(), pipes()];
    let budget = Arc::clone(&one.budget);
    let both = [&one, &Rc::new(Pipes::new(budget))];
    let taken: Vec<_> = both.iter().flat_map(|pipes| std::iter::from_fn(|| pipes.take())).collect();
    let large = taken.iter().filter(|part| part.pipe.as_ref().unwrap().size == 0).count();
    assert_eq!((taken.len(), large), (96, 32));
    assert!(other.take().is_some(), "another gateway's");
    drop(taken);
    let kept: Vec<_> = both.iter().map(|pipes| pipes.held()).collect();
    assert_eq!(kept, [KEPT, 0]);
    let taken: Vec<_> = std::iter::from_fn(|| one.take()).collect();
    assert_eq!(taken.len(), 96);
}
