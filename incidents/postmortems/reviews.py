"""Review: who was asked and what they decided, comments, and amendments after publication."""

from typing import Any, Self

from django.db import models, transaction
from django.db.models import Q
from django.utils import timezone

from incidents.errors import Refused, WrongStatus
from incidents.people.handles import people_with_handles
from incidents.people.models import Membership, User
from incidents.postmortems.document import Postmortem
from incidents.postmortems.guide import Policy
from incidents.postmortems.sections import Section
from incidents.response.events import Event
from incidents.response.incident import Incident
from incidents.web.markdown import mentioned

CHECKS = (
    ("data", "The evidence is stored where it can be found again"),
    ("impact", "The impact is complete, or says what is unknown and why"),
    ("deep", "It goes deep enough: into conditions, not people"),
    ("plan", "The follow-ups match the findings and are in order of priority"),
    ("shared", "Everyone who can learn from it will get to read it"),
)


def responders(postmortem: Postmortem) -> set[int]:
    """Who took part in the response: leads, whoever had a role, and whoever acted on an incident before it was resolved."""
    incidents = [postmortem.incident_id, *postmortem.also.values_list("pk", flat=True)]
    acting = Event.objects.filter(incident__in=incidents).exclude(by=None).exclude(kind__in=_AFTERWARDS)
    acting = acting.filter(Q(incident__resolved_at=None) | Q(at__lte=models.F("incident__resolved_at")))
    leads = Incident.objects.filter(pk__in=incidents).exclude(lead=None).values_list("lead", flat=True)
    roles = User.objects.filter(assignments__incident__in=incidents).values_list("pk", flat=True)
    return {pk for pk in [*acting.values_list("by", flat=True).distinct(), *leads, *roles] if pk is not None}


def participants(incidents: list[Incident]) -> list[User]:
    """Whom a careless sentence would name: the leads and whoever had a role; 30 at most."""
    took_part = Q(assignments__incident__in=incidents) | Q(led_incidents__in=incidents)
    return list(User.objects.filter(took_part).distinct()[:30])


_AFTERWARDS = [Event.Kind.POSTMORTEM, Event.Kind.FOLLOW_UP, Event.Kind.VISIBILITY, Event.Kind.LINK]


def approved_outside() -> models.Exists:
    """The condition that somebody approved who is not in the incident's team, for a query of postmortems."""
    approvals = Review.objects.filter(postmortem=models.OuterRef("pk"), verdict=Verdict.APPROVED)
    team = models.OuterRef(models.OuterRef("incident__team"))
    insider = Membership.objects.filter(team=team, user=models.OuterRef("reviewer"))
    return models.Exists(approvals.exclude(models.Exists(insider)))


class Verdict(models.TextChoices):
    PENDING = "", "Pending"
    APPROVED = "approved", "Approved"
    CHANGES = "changes", "Changes requested"


class ReviewQuerySet(models.QuerySet["Review"]):
    def ask(self, postmortem: Postmortem, reviewer: User, *, by: User) -> "Review":
        """Ask somebody to review. Raises Refused for its owner, and for who may not see it."""
        if reviewer.pk == postmortem.owner_id:
            raise Refused(f"{reviewer} owns it. Ask someone else.")
        if not Postmortem.objects.visible_to(reviewer).filter(pk=postmortem.pk).exists():
            raise Refused(f"{reviewer} cannot see {postmortem.incident}, so they cannot review it.")
        with transaction.atomic():
            review, new = self.get_or_create(postmortem=postmortem, reviewer=reviewer, defaults={"asked_by": by})
            if new:
                postmortem.record(by, asked=str(reviewer))
                if reviewer != by:
                    postmortem.tell(
                        "review",
                        [reviewer],
                        f"{by} asked you to review the postmortem of {postmortem.incident}",
                        f"“{postmortem.name}”, due on {postmortem.due_on:%Y-%m-%d}.",
                        key=f"review:{review.pk}",
                    )
        return review

    def for_list(self) -> Self:
        return self.select_related("reviewer").order_by("pk")


class Review(models.Model):
    """One person’s verdict on one postmortem."""

    postmortem = models.ForeignKey(Postmortem, on_delete=models.CASCADE, related_name="reviews")
    reviewer = models.ForeignKey(User, on_delete=models.CASCADE, related_name="reviews")
    asked_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    asked_at = models.DateTimeField(default=timezone.now)
    verdict = models.CharField(max_length=10, choices=Verdict, blank=True, default=Verdict.PENDING)
    checks = models.JSONField(default=list, blank=True)  # keys of CHECKS that the reviewer ticked
    note = models.TextField(blank=True, max_length=2000)
    decided_at = models.DateTimeField(null=True, blank=True)

    objects = ReviewQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["postmortem", "reviewer"], name="one_review_per_person")]

    def __str__(self) -> str:
        return f"{self.reviewer} on {self.postmortem}"


def decide(postmortem: Postmortem, *, by: User, verdict: str, checks: list[str], note: str = "") -> None:
    """Say yes, or what is missing. The yes that completes what the policy asks for approves the postmortem.

    Raises Refused for its owner, for a yes without the whole checklist and a no without a reason, and WrongStatus
    while it is not in review. Locks the postmortem, so that of two who say yes at once the second sees the first.
    """
    if by.pk == postmortem.owner_id:
        raise Refused("Its owner cannot approve it.")
    ticked = [key for key, _ in CHECKS if key in checks]
    if verdict == Verdict.APPROVED and len(ticked) < len(CHECKS):
        raise Refused("Tick every line of the checklist, or request changes.")
    if verdict == Verdict.CHANGES and not note.strip():
        raise Refused("Say what should change.")
    if verdict not in (Verdict.APPROVED, Verdict.CHANGES):
        raise Refused("Approve it, or request changes.")
    with transaction.atomic():
        stored = postmortem.locked()
        if stored.state != Postmortem.State.IN_REVIEW:
            raise WrongStatus(f"This postmortem is {stored.get_state_display().lower()}, not in review.")
        now = timezone.now()
        decision = {
            "verdict": verdict,
            "checks": ticked,
            "note": note.strip()[:2000],
            "decided_at": now,
        }
        Review.objects.update_or_create(postmortem=stored, reviewer=by, defaults=decision)
        because: dict[str, Any] = {"reason": note.strip()} if note.strip() else {}
        stored.record(by, verdict=verdict, **because)
        decision_words = "approved" if verdict == Verdict.APPROVED else "requested changes to"
        stored.tell(
            "verdict",
            _concerned(stored) - {by},
            f"{by} {decision_words} the postmortem of {stored.incident}",
            note.strip() or "Without a note.",
            key=f"verdict:{by.pk}:{now.timestamp():.6f}",
        )
        if not lacking(stored):
            stored.approve(by=by)
    postmortem.refresh_from_db()


def _concerned(postmortem: Postmortem) -> set[User]:
    """Its owner and whoever was asked to review it: they are told of verdicts and comments."""
    asked = User.objects.filter(reviews__postmortem=postmortem)
    return {*asked, *([postmortem.owner] if postmortem.owner else [])}


def verdicts(postmortem: Postmortem) -> list[Event]:
    """Every verdict that was given, oldest first, with its note: a later one answers an earlier one, and hides it never."""
    moves = postmortem.incident.events.filter(kind=Event.Kind.POSTMORTEM, detail__has_key="verdict")
    if "-" in postmortem.slug:
        moves = moves.filter(detail__postmortem=postmortem.slug)
    return list(moves.select_related("by").order_by("pk"))


def lacking(postmortem: Postmortem) -> list[str]:
    """What the policy still asks for before it may be published, in sentences."""
    reviews = list(postmortem.reviews.select_related("reviewer"))
    wanted = Policy.objects.of(postmortem.incident.severity).reviewers
    agreed = [review for review in reviews if review.verdict == Verdict.APPROVED]
    sentences = []
    if len(agreed) < wanted:
        left = wanted - len(agreed)
        sentences.append(f"{left} more approval{'s' if left > 1 else ''}.")
    if wanted and not {review.reviewer_id for review in agreed} - responders(postmortem):
        sentences.append("An approval from someone who did not respond.")
    sentences += [f"{review.reviewer} requested changes." for review in reviews if review.verdict == Verdict.CHANGES]
    return sentences


# Comments


class CommentQuerySet(models.QuerySet["Comment"]):
    def write(
        self,
        section: Section,
        text: str,
        *,
        by: User,
        quote: str = "",
        instead: str | None = None,
        parent: "Comment | None" = None,
    ) -> "Comment":
        """Comment on a section: about `quote`, with `instead` as a suggestion of how that should read."""
        quote = quote.strip()[:2000]
        if instead is not None and not quote:
            raise Refused("Quote the words that your suggestion replaces.")
        if not text.strip() and instead is None:
            raise Refused("Write something first.")
        with transaction.atomic():
            postmortem = section.postmortem.locked()
            if not postmortem.takes_comments:
                state = postmortem.get_state_display().lower()
                raise WrongStatus(f"This postmortem is {state}. Add an amendment instead.")
            comment = self.create(
                section=section,
                postmortem=postmortem,
                text=text.strip()[:5000],
                quote=quote,
                instead=instead,
                by=by,
                parent=parent.parent or parent if parent else None,
            )
            answered = {comment.parent.by} if comment.parent and comment.parent.by else set()
            postmortem.tell(
                "comment",
                (_concerned(postmortem) | answered) - {by},
                f"{by} commented on the postmortem of {postmortem.incident}",
                comment.text or "A suggestion",
                key=f"comment:{comment.pk}",
                path=f"{postmortem.get_absolute_url()}#comment-{comment.pk}",
            )
            postmortem.tell(
                "mention",
                set(people_with_handles(mentioned(comment.text))) - _concerned(postmortem) - answered - {by},
                f"{by} mentioned you in the postmortem of {postmortem.incident}",
                comment.text,
                key=f"named:comment:{comment.pk}",
                path=f"{postmortem.get_absolute_url()}#comment-{comment.pk}",
            )
        return comment

    def for_list(self) -> Self:
        return (
            self.filter(parent=None)
            .select_related("by", "resolved_by", "section")
            .prefetch_related("replies__by")
            .order_by("pk")
        )


class Comment(models.Model):
    """A comment or a suggestion about one place of a section, with its replies."""

    postmortem = models.ForeignKey(Postmortem, on_delete=models.CASCADE, related_name="comments")
    section = models.ForeignKey(Section, on_delete=models.CASCADE, related_name="comments")
    parent = models.ForeignKey("self", on_delete=models.CASCADE, null=True, blank=True, related_name="replies")
    quote = models.TextField(blank=True, max_length=2000)
    instead = models.TextField(null=True, blank=True, max_length=5000)  # noqa: DJ001 - "" suggests to take it out
    text = models.TextField(blank=True, max_length=5000)
    by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    at = models.DateTimeField(default=timezone.now)
    resolved_at = models.DateTimeField(null=True, blank=True)
    resolved_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    outcome = models.CharField(max_length=10, blank=True)  # "accepted" for a suggestion that was taken

    objects = CommentQuerySet.as_manager()

    def __str__(self) -> str:
        return self.text[:60]

    @property
    def is_suggestion(self) -> bool:
        return self.instead is not None

    @property
    def still_fits(self) -> bool:
        """Whether its quote is still there, once, so that a suggestion can be taken."""
        return bool(self.quote) and self.section.text.count(self.quote) == 1

    def resolve(self, *, by: User, outcome: str = "") -> None:
        Comment.objects.filter(pk=self.pk, resolved_at=None).update(
            resolved_at=timezone.now(), resolved_by=by, outcome=outcome
        )

    def accept(self, *, by: User) -> None:
        """Take a suggestion. Raises Refused where what it replaces was changed meanwhile."""
        section = Section.objects.select_related("postmortem__guide").get(pk=self.section_id)
        if self.instead is None or section.text.count(self.quote) != 1:
            raise Refused("The quoted words have changed meanwhile. Edit the section yourself.")
        section.write(section.text.replace(self.quote, self.instead), by=by, base=section.text)
        self.resolve(by=by, outcome="accepted")


class Amendment(models.Model):
    """Something found out after publication. It stands beside the text, which stays as it was read."""

    postmortem = models.ForeignKey(Postmortem, on_delete=models.CASCADE, related_name="amendments")
    key = models.CharField(max_length=24, blank=True)
    text = models.TextField(max_length=10_000)
    by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["at", "pk"]

    def __str__(self) -> str:
        return self.text[:60]

    @classmethod
    def write(cls, postmortem: Postmortem, text: str, *, key: str, by: User) -> "Amendment":
        if not text.strip():
            raise Refused("Write what was found out.")
        with transaction.atomic():
            stored = postmortem.locked()
            if stored.state != Postmortem.State.PUBLISHED:
                raise WrongStatus("Only published postmortems are amended. Edit the section instead.")
            amendment = cls.objects.create(postmortem=stored, key=key, text=text.strip()[:10_000], by=by)
            stored.record(by, amended=True)
            stored.index()
        return amendment
