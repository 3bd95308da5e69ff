"""The addresses of evaluation cases."""

from django.urls import path

from incidents.evaluations import views

urlpatterns = [
    path("systems/<slug:slug>/cases/", views.cases, name="evaluation-cases"),
    path("systems/<slug:slug>/cases/new/", views.add, name="evaluation-case-new"),
    path("systems/<slug:slug>/cases/grid/", views.grid, name="evaluation-grid"),
    path("systems/<slug:slug>/cases/export/<slug:file_format>/", views.export, name="evaluation-cases-export"),
    path("systems/<slug:slug>/cases/<int:number>/", views.case, name="evaluation-case"),
    path("systems/<slug:slug>/cases/<int:number>/edit/", views.edit, name="evaluation-case-edit"),
    path("systems/<slug:slug>/cases/<int:number>/retire/", views.retire, name="evaluation-case-retire"),
]
