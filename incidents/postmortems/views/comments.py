"""Comments on a section."""

from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from incidents.people.models import Role
from incidents.postmortems.document import Postmortem
from incidents.postmortems.permissions import at, find, may_write, require, verb
from incidents.postmortems.reviews import Comment
from incidents.postmortems.sections import Section, clean
from incidents.web.request import Answer, Request, page, visible_or_404, whole_number


@verb(None, to="comment")
def comment(request: Request, postmortem: Postmortem, key: str) -> Answer:
    section: Section = visible_or_404(postmortem.sections.all(), key=key)
    parent = whole_number(request.POST.get("parent", ""), digits=17)
    written = Comment.objects.write(
        section,
        request.POST.get("text", ""),
        quote=clean(request.POST.get("quote", "")),
        instead=clean(request.POST.get("instead", "")) if "suggest" in request.POST else None,
        parent=postmortem.comments.filter(pk=parent, section=section).first() if parent else None,
        by=request.user,
    )
    return at(postmortem, f"comment-{(written.parent or written).pk}")


@verb(None, to="resolve comments")
def settle_comment(request: Request, postmortem: Postmortem, pk: int) -> Answer:
    """Resolve a comment, or accept a suggestion. Its writer may resolve it too."""
    comments = postmortem.comments.filter(parent=None).select_related("section", "by")
    comment: Comment = visible_or_404(comments, pk=pk)
    if comment.by_id != request.user.pk or "accept" in request.POST:
        require(request.user, Role.RESPONDER, postmortem, to="resolve comments")
    if "accept" in request.POST:
        comment.accept(by=request.user)
    else:
        comment.resolve(by=request.user)
    return at(postmortem, comment.section.key)


@page
@require_safe
def comments(request: Request, slug: str, key: str) -> Answer:
    """The comments on one section, for a page that is open already."""
    postmortem = find(request, slug)
    section: Section = visible_or_404(postmortem.sections.all(), key=key)
    about = [comment for comment in postmortem.comments.for_list() if comment.section_id == section.pk]
    context = {
        "postmortem": postmortem,
        "incident": postmortem.incident,
        "section": section,
        "comments": [comment for comment in about if comment.resolved_at is None],
        "settled": [comment for comment in about if comment.resolved_at],
        "may_edit": may_write(request.user, postmortem) and postmortem.is_editable,
        "may_comment": postmortem.takes_comments,
        "now": timezone.now(),
    }
    return render(request, "postmortems/_comments.html", context)
