from django.urls import path

from reefs import views

urlpatterns = [
    path("", views.home),
    path("reefs/", views.reefs),
    path("status/", views.status),
]
