"""Mail that is owed to people: rows in the transaction of what they tell of, sent afterwards, at least once."""

from collections.abc import Collection, Iterable
from datetime import timedelta
from email.mime.image import MIMEImage

import structlog
from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.mail import EmailMultiAlternatives
from django.db import models, transaction
from django.template.loader import render_to_string
from django.utils import timezone

from incidents.people.models import User
from incidents.response.incident import Incident

log = structlog.get_logger(__name__)

MOST_ATTEMPTS = 12


class NoticeQuerySet(models.QuerySet["Notice"]):
    def tell(
        self,
        people: Iterable[User],
        *,
        about: Collection[Incident],
        subject: str,
        text: str,
        path: str,
        key: str,
        picture: bytes | None = None,
    ) -> None:
        """Owe each of them a mail, with a PNG picture inside perhaps. The same `key` for the same person is owed once.

        Who may not see all of what it is `about` is owed nothing, and is sent nothing where that becomes private meanwhile.
        """
        incidents = [incident.pk for incident in about]
        if Incident.objects.filter(pk__in=incidents, private=True).exists():
            people = [person for person in people if not _hidden(incidents, person)]
        rows = [
            Notice(
                person=person,
                subject=" ".join(subject.split())[:200],
                text=text,
                path=path,
                key=f"{key}:{person.pk}",
                picture=picture,
                about=incidents,
            )
            for person in people
            if person.is_active
        ]
        self.bulk_create(rows, ignore_conflicts=True)

    def send(self, *, most: int = 500) -> int:
        """Send what is due, one at a time, and skip what another process sends; returns how many were sent.

        Each is tried twelve times at most, then it stays unsent with its error.
        """
        sent = 0
        for _ in range(most):
            with transaction.atomic():
                due = self.filter(sent_at=None, attempts__lt=MOST_ATTEMPTS, due_at__lte=timezone.now())
                notice = (
                    due.select_related("person")
                    .order_by("due_at")
                    .select_for_update(skip_locked=True, of=("self",))
                    .first()
                )
                if notice is None:
                    break
                sent += notice.deliver()
        return sent


def _hidden(incidents: Collection[int], person: User) -> bool:
    """Whether one of the incidents is private and does not name the person."""
    return bool(incidents) and Incident.objects.hidden_from(person).filter(pk__in=incidents).exists()


class Notice(models.Model):
    """One mail to one person. The row is the queue."""

    person = models.ForeignKey(User, on_delete=models.CASCADE, related_name="notices")
    subject = models.CharField(max_length=200)
    text = models.TextField()
    path = models.CharField(max_length=200)
    picture = models.BinaryField(null=True, blank=True)
    about = ArrayField(models.BigIntegerField(), null=True, blank=True)  # the ids of the incidents of which it tells
    key = models.CharField(max_length=120, unique=True)
    made_at = models.DateTimeField(default=timezone.now)
    due_at = models.DateTimeField(default=timezone.now)
    sent_at = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    error = models.CharField(max_length=300, blank=True)

    objects = NoticeQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["due_at"], condition=models.Q(sent_at=None), name="notices_due")]

    def __str__(self) -> str:
        return self.subject

    def deliver(self) -> bool:
        """Send it, or put it off: 10 seconds, then twice as long each time, an hour at most; returns whether it was sent.

        Whatever goes wrong is this mail's own trouble: it is noted and tried again later, and never holds up the others.
        """
        now = timezone.now()
        if _hidden(self.about or [], self.person):
            self._set(attempts=MOST_ATTEMPTS, error="Not sent: what it tells of has become private since.")
            return False
        try:
            with transaction.atomic():  # so that trouble with the database leaves this transaction usable
                self._message().send()
        except Exception as trouble:
            # The way to the mail server fails as an OSError, smtplib's errors among them; anything else is a fault to look at.
            log.warning(
                "notice_not_sent", notice=self.pk, attempts=self.attempts + 1, exc_info=not isinstance(trouble, OSError)
            )
            again = now + timedelta(seconds=min(10 * 2**self.attempts, 3600))
            self._set(attempts=self.attempts + 1, due_at=again, error=(str(trouble) or type(trouble).__name__)[:300])
            return False
        self._set(sent_at=now, attempts=self.attempts + 1, error="")
        return True

    def _message(self) -> EmailMultiAlternatives:
        address = f"{settings.BASE_URL}{self.path}"
        message = EmailMultiAlternatives(self.subject, f"{self.text}\n\n{address}", None, [self.person.email])
        if self.picture:
            # Inside the mail, not linked: readers see it without loading anything, and nobody learns that they did.
            image = MIMEImage(bytes(self.picture), "png")
            image.add_header("Content-ID", "<picture>")
            image.add_header("Content-Disposition", "inline", filename="picture.png")
            message.attach(image)
            lines = {"subject": self.subject, "lines": self.text.splitlines(), "address": address}
            message.attach_alternative(render_to_string("web/mail.html", lines), "text/html")
        return message

    def _set(self, **changes: object) -> None:
        Notice.objects.filter(pk=self.pk).update(**changes)
