#!/bin/sh
exec supervisorctl start gunicorn
