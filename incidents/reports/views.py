from django.http import HttpRequest, HttpResponse
def trends(request: HttpRequest) -> HttpResponse:
    return HttpResponse("")
