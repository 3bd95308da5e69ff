from django.http import HttpResponse
from django.urls import path
app_name="api"
urlpatterns=[path("<str:version>/deliveries/<int:pk>/", lambda r,version,pk: HttpResponse(""), name="delivery-detail")]
