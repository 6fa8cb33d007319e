cd ${app}
export DJANGO_SETTINGS_MODULE=config.settings.${settings}
. ${venv}/bin/activate
