from django.urls import path

from reefs import views

urlpatterns = [
    path("", views.home),
    path("status/", views.status),
]
