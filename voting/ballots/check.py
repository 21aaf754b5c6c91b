"""Judge a ballot: every rule, every proof, the signature. Who passes here may be counted, and nobody else.

Order: election and credential, lengths of every list, identities, signature, proofs of each answer. That every point
is of order q is checked by the multiplications that the proofs need anyhow: alpha, beta and credential each pass one.
"""

from collections.abc import Iterator, Sequence

from voting.ballots.ballot import Answer, Ballot, Ciphertext, signature_prefix, sum_of, write_choices
from voting.ballots.election import Election, Question
from voting.ballots.group import IDENTITY, Point, is_element, write_point
from voting.ballots.proofs import Statement, check_knowledge, check_one_of, shifted
from voting.ballots.refusals import FieldWrong, NotThisElection, PointWrong


def check(ballot: Ballot, election: Election, credential: Point | None = None) -> Ballot:
    """Return the ballot if it holds against this election, and under this credential if one is given.

    Else the first fault is raised: a `BallotRefusal` whose `field` says where.
    """
    _check_origin(ballot, election, credential)
    _check_lengths(ballot, election)
    for field, point in _points(ballot):
        if point == IDENTITY:
            raise PointWrong(field)
    try:
        _check_proofs(ballot, election)
    except PointWrong as wrong:
        raise _first_wrong(ballot, wrong) from wrong
    return ballot


def _check_origin(ballot: Ballot, election: Election, credential: Point | None) -> None:
    if ballot.uuid != election.uuid:
        raise NotThisElection("election_uuid")
    if ballot.election_hash != election.hash:
        raise NotThisElection("election_hash")
    if credential is not None and ballot.credential != credential:
        raise FieldWrong("credential", problem="the credential whose codes were given")


def _check_lengths(ballot: Ballot, election: Election) -> None:
    _check_length(ballot.answers, len(election.questions), "answers")
    for number, (answer, question) in enumerate(zip(ballot.answers, election.questions, strict=True)):
        field = f"answers[{number}]"
        _check_length(answer.choices, question.ciphertexts, f"{field}.choices")
        _check_length(answer.individual, question.ciphertexts, f"{field}.individual_proofs")
        for index, proofs in enumerate(answer.individual):
            _check_length(proofs, 2, f"{field}.individual_proofs[{index}]")
        _check_length(answer.overall, question.branches, f"{field}.overall_proof")
        if (answer.blank is not None) != question.blank:
            raise FieldWrong(f"{field}.blank_proof", problem="there if the question allows blank, else not")
        if answer.blank is not None:
            _check_length(answer.blank, 2, f"{field}.blank_proof")


def _check_length(items: Sequence[object], length: int, field: str) -> None:
    if len(items) != length:
        raise FieldWrong(field, problem=f"exactly {length}")


def _check_proofs(ballot: Ballot, election: Election) -> None:
    if ballot.signature is None:
        raise FieldWrong("signature", problem="a ballot that is cast is signed")
    check_knowledge(ballot.signature, ballot.credential, signature_prefix(ballot), "signature.proof")
    context = f"{election.hash}|{write_point(ballot.credential)}"
    for number, (answer, question) in enumerate(zip(ballot.answers, election.questions, strict=True)):
        _check_answer(election.key, question, answer, context, f"answers[{number}]")


def _check_answer(key: Point, question: Question, answer: Answer, context: str, field: str) -> None:
    for index, (choice, proofs) in enumerate(zip(answer.choices, answer.individual, strict=True)):
        prefix = f"prove|{context}|{write_choices([choice])}|"
        statements = [Statement(*choice), shifted(*choice, 1)]
        check_one_of(key, statements, proofs, prefix, f"{field}.individual_proofs[{index}]")
    context = f"{context}|{write_choices(answer.choices)}"
    if answer.blank is None:
        total = sum_of(answer.choices)
        prefix = f"prove|{context}|{write_choices([total])}|"
        check_one_of(key, _sums(total, question), answer.overall, prefix, f"{field}.overall_proof")
        return
    blank, total = answer.choices[0], sum_of(answer.choices[1:])
    statements = [Statement(*blank), Statement(*total)]
    check_one_of(key, statements, answer.blank, f"bproof0|{context}|", f"{field}.blank_proof")
    statements = [shifted(*blank, 1), *_sums(total, question)]
    check_one_of(key, statements, answer.overall, f"bproof1|{context}|", f"{field}.overall_proof")


def _sums(total: Ciphertext, question: Question) -> list[Statement]:
    return [shifted(*total, value) for value in range(question.least, question.most + 1)]


def _points(ballot: Ballot) -> Iterator[tuple[str, Point]]:
    yield "credential", ballot.credential
    for number, answer in enumerate(ballot.answers):
        for index, (alpha, beta) in enumerate(answer.choices):
            yield f"answers[{number}].choices[{index}].alpha", alpha
            yield f"answers[{number}].choices[{index}].beta", beta


def _first_wrong(ballot: Ballot, otherwise: PointWrong) -> PointWrong:
    """Name the point itself, where a proof over it was the first to stumble."""
    return next((PointWrong(field) for field, point in _points(ballot) if not is_element(point)), otherwise)
